/** Credentials and channels of @grpc/grpc-js clients that follow: calls after a swap go over connections made after it. */
import type * as Grpc from "@grpc/grpc-js";
import type { ClientContext } from "./client-context.ts";

/** What is used of the module @grpc/grpc-js for credentials. */
export type GrpcCredentialsModule = Pick<
  typeof Grpc,
  "ChannelCredentials" | "CallCredentials" | "credentials"
>;

/** What is used of the module @grpc/grpc-js for channels. */
export type GrpcChannelModule = Pick<typeof Grpc, "Channel" | "connectivityState">;

/** Credentials with which each new connection takes what is current when it is made. */
export function hotChannelCredentials(
  context: ClientContext,
  { ChannelCredentials, CallCredentials, credentials }: GrpcCredentialsModule,
  verify: Grpc.VerifyOptions | undefined,
): Grpc.ChannelCredentials {
  class HotChannelCredentials extends ChannelCredentials {
    override _isSecure(): boolean {
      return true;
    }

    override _equals(other: Grpc.ChannelCredentials): boolean {
      return this === other;
    }

    override _createSecureConnector(...about: ConnectorArguments): SecureConnector {
      const [, , callCredentials = CallCredentials.createEmpty()] = about;
      return {
        connect: (socket) => {
          const now = credentials.createFromSecureContext(context.current.secureContext, verify);
          return now._createSecureConnector(...about).connect(socket);
        },
        waitForReady: async () => undefined,
        getCallCredentials: () => callCredentials,
        destroy: () => undefined,
      };
    }
  }
  return new HotChannelCredentials();
}

type ConnectorArguments = Parameters<Grpc.ChannelCredentials["_createSecureConnector"]>;
type SecureConnector = ReturnType<Grpc.ChannelCredentials["_createSecureConnector"]>;
type CallArguments = Parameters<Grpc.ChannelInterface["createCall"]>;
type Call = ReturnType<Grpc.ChannelInterface["createCall"]>;

/**
 * A channel of channels: each new call is made on the one of the current generation, and an earlier one is closed when its
 * last call has ended. A channel of gRPC's own keeps its connection for as long as the server does, whatever its credentials.
 */
export class HotChannel implements Grpc.ChannelInterface {
  readonly #open: () => Grpc.Channel;
  readonly #stopFollowing: () => void;
  /** Those that are not closed, each with its calls that have not ended. */
  readonly #channels = new Map<Grpc.Channel, Set<Call>>();
  #young: Grpc.Channel;

  constructor(
    context: ClientContext,
    { Channel, connectivityState }: GrpcChannelModule,
    address: string,
    credentials: Grpc.ChannelCredentials,
    options: Grpc.ClientOptions,
  ) {
    // Else all would share one connection, for the credentials are the same.
    const own = { ...options, "grpc.use_local_subchannel_pool": 1 };
    this.#open = () => {
      const channel = new Channel(address, credentials, own);
      this.#channels.set(channel, new Set());
      return channel;
    };
    this.#young = this.#open();
    this.#stopFollowing = context.onSwap(() => {
      const old = this.#young;
      this.#young = this.#open();
      // The first call after the swap need not wait for a handshake.
      if (old.getConnectivityState(false) === connectivityState.READY) this.#young.getConnectivityState(true);
      this.#closeIdle(old);
    });
  }

  createCall(...about: CallArguments): Call {
    const channel = this.#young;
    const call = channel.createCall(...about);
    const calls = this.#channels.get(channel);
    const end = () => {
      calls?.delete(call);
      this.#closeIdle(channel);
    };
    calls?.add(call);
    // What gRPC wants back is its own call: it is watched, and not wrapped.
    const start = call.start.bind(call);
    call.start = (metadata, listener) =>
      start(metadata, {
        onReceiveMetadata: (received) => listener.onReceiveMetadata(received),
        onReceiveMessage: (message) => listener.onReceiveMessage(message),
        onReceiveStatus: (status) => {
          end();
          listener.onReceiveStatus(status);
        },
      });
    const cancel = call.cancelWithStatus.bind(call);
    call.cancelWithStatus = (status, details) => {
      cancel(status, details);
      end();
    };
    return call;
  }

  close(): void {
    this.#stopFollowing();
    for (const channel of this.#channels.keys()) channel.close();
    this.#channels.clear();
  }

  getTarget(): string {
    return this.#young.getTarget();
  }

  getConnectivityState(tryToConnect: boolean): Grpc.connectivityState {
    return this.#young.getConnectivityState(tryToConnect);
  }

  watchConnectivityState(...about: Parameters<Grpc.Channel["watchConnectivityState"]>): void {
    this.#young.watchConnectivityState(...about);
  }

  getChannelzRef(): ReturnType<Grpc.Channel["getChannelzRef"]> {
    return this.#young.getChannelzRef();
  }

  #closeIdle(channel: Grpc.Channel): void {
    if (channel === this.#young || this.#channels.get(channel)?.size !== 0) return;
    this.#channels.delete(channel);
    channel.close();
  }
}
