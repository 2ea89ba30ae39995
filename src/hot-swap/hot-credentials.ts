/** What clients, and gRPC on both sides, need to follow a bundle: a client has to turn its own certificate too. */
import type { Agent } from "node:https";
import type { SecureContext } from "node:tls";
import type { ChannelCredentials, ClientOptions, ServerCredentials, VerifyOptions } from "@grpc/grpc-js";
import type { BundleSource } from "./bundle-source.ts";
import { ClientContext } from "./client-context.ts";
import type { ContextOptions } from "./context-options.ts";
import { HotAgent, type HotAgentOptions } from "./hot-agent.ts";
import {
  type GrpcChannelModule,
  type GrpcCredentialsModule,
  HotChannel,
  hotChannelCredentials,
} from "./hot-grpc-channel.ts";
import { followServerCredentials, type GrpcServerModule, type GrpcServerOptions } from "./hot-grpc-server.ts";
import { hotUndici, type UndiciModule, type UndiciOptions } from "./hot-undici.ts";

/** Credentials that follow. What is made of them takes each generation as soon as it is there. */
export interface HotCredentials {
  /** What `tls.connect` and `http2.connect` take now: to be asked for before each connection. */
  connectOptions(): { readonly secureContext: SecureContext };

  /**
   * An agent for `https.request` and what is built on it. Requests that are made after a swap go over connections, and resume
   * TLS sessions, that were made after it; those under way finish. `maxSockets` counts each generation by itself.
   */
  httpsAgent(options?: HotAgentOptions): Agent;

  /**
   * A dispatcher for undici's functions and for `fetch`. Requests that are made after a swap go over connections that were
   * made after it; those under way finish. Its `close` and `destroy` are undici's.
   *
   * @param undici The module, 6 to 8. Node's own `fetch` takes dispatchers of 7 in each Node version; of 8 only from Node 26.
   * @param options Of its `Agent`, whose `connect` gets the context.
   * @throws TypeError for a function as `options.connect`.
   */
  undici<U extends UndiciModule>(undici: U, options?: UndiciOptions<U>): InstanceType<U["Dispatcher"]>;

  /**
   * Credentials for `Server#bindAsync`, for as many servers and ports as there are. What is said of {@link hotTls} is true of
   * these servers. `GRPC_SSL_CIPHER_SUITES` is not looked at: say `options.tls.ciphers`.
   *
   * @param grpc The module @grpc/grpc-js, 1.14 or later.
   * @throws KeyturnError GENERATION_REFUSED where the bundle has no leaf.
   */
  grpcServer(grpc: GrpcServerModule, options?: GrpcServerOptions): ServerCredentials;

  /**
   * Credentials for a client. Each new connection is made with what is current; one that is there lives on, for as long as the
   * server lets it, unless the client is created with {@link HotCredentials.grpcClientOptions} too.
   *
   * @param grpc The module @grpc/grpc-js.
   */
  grpcChannel(grpc: GrpcCredentialsModule, verify?: VerifyOptions): ChannelCredentials;

  /**
   * Options for a client, with which its calls after a swap go over a connection that was made after it; those under way
   * finish: `new Client(address, hot.grpcChannel(grpc), hot.grpcClientOptions(grpc))`.
   *
   * @param grpc The module @grpc/grpc-js.
   */
  grpcClientOptions(grpc: GrpcChannelModule): Pick<ClientOptions, "channelFactoryOverride">;

  /** Follows no longer. Whatever was made of it goes on with what it has. */
  close(): void;
}

/**
 * Makes credentials of a bundle that is followed. A bundle without a leaf is good for clients: they present nothing.
 *
 * Peers are trusted by the authorities of `options.trust`, or by the bundle's own. For clients alone, where there is no
 * `options.trust` and the bundle has no authorities at all, Node's default ones are trusted.
 * What the methods make throws what OpenSSL has against `options.tls`.
 */
export function hotCredentials(source: BundleSource, options: ContextOptions = {}): HotCredentials {
  const ends: (() => void)[] = [];
  let isClosed = false;
  let made: ClientContext | undefined;
  // Not before there is a client: to make one takes as long as to swap a server.
  const clientContext = (): ClientContext => {
    if (made !== undefined) return made;
    made = new ClientContext(source, options);
    ends.push(() => made?.close());
    if (isClosed) made.close();
    return made;
  };
  return {
    connectOptions: () => ({ secureContext: clientContext().current.secureContext }),
    httpsAgent: (agentOptions = {}) => new HotAgent(clientContext(), agentOptions),
    undici: (undici, agentOptions) => hotUndici(clientContext(), undici, agentOptions),
    grpcServer: (grpc, serverOptions = {}) => {
      const { credentials, end } = followServerCredentials(grpc, source, options, serverOptions);
      ends.push(end);
      return credentials;
    },
    grpcChannel: (grpc, verify) => hotChannelCredentials(clientContext(), grpc, verify),
    grpcClientOptions: (grpc) => ({
      channelFactoryOverride: (address, credentials, clientOptions) =>
        new HotChannel(clientContext(), grpc, address, credentials, clientOptions),
    }),
    close: () => {
      isClosed = true;
      for (const end of ends) end();
    },
  };
}
