/**
 * One connection to one member of etcd, used for one session and then thrown away.
 *
 * A new client for each session is what makes the rest simple: client certificates and passwords are read anew, no
 * token is old, no channel is wedged, and a member that only swallows bytes is left behind with its sockets destroyed.
 */
import { readFile } from "node:fs/promises";
import { InterceptingCall, type Interceptor, type StatusObject } from "@grpc/grpc-js";
import { noop } from "cockatiel";
import { Etcd3, type IOptions } from "etcd3";
import { KeyturnError, messageOf } from "../core/errors.ts";
import { trackSockets } from "./sockets.ts";

/** How to reach etcd: what `etcd` of the configuration says. Files are read at each connection. */
export interface EtcdAccess {
  readonly endpoints: readonly string[];
  readonly tls?:
    | {
        readonly caFile?: string | undefined;
        readonly certFile?: string | undefined;
        readonly keyFile?: string | undefined;
      }
    | undefined;
  readonly username?: string | undefined;
  readonly passwordFile?: string | undefined;
}

/** An open client. */
export interface EtcdClient {
  readonly endpoint: string;
  readonly etcd: Etcd3;
  /** Runs what opens connections, so that {@link EtcdClient.close} finds their sockets. */
  run<T>(task: () => Promise<T>): Promise<T>;
  /** Says that nothing more will be connected, which lets the rest of the process run faster. */
  settle(): void;
  /** Ends every call and destroys every socket, also one that is still connecting. */
  close(): void;
}

/** Deadline of a single call to etcd. */
const CALL_TIMEOUT_MS = 3_000;

const CHANNEL_OPTIONS: NonNullable<IOptions["grpcOptions"]> = {
  // Notices a half-open link in 15 s; without it: never. Under 5 s etcd answers "too many pings".
  "grpc.keepalive_time_ms": 10_000,
  "grpc.keepalive_timeout_ms": 5_000,
  // A subchannel shared with an earlier client would share its hung connection too.
  "grpc.use_local_subchannel_pool": 1,
  "grpc.max_receive_message_length": 64 << 20,
  // A channel never connects twice: the next session brings its own. (A closed client may live one second longer.)
  "grpc.initial_reconnect_backoff_ms": 60_000,
  "grpc.max_reconnect_backoff_ms": 60_000,
  // The road to etcd is this node's own: proxies of the environment are for the world outside.
  "grpc.enable_http_proxy": 0,
};

/**
 * Opens a client on one endpoint and signs in where a user is configured. The signal closes it at any time.
 *
 * @throws KeyturnError CONFIG_INVALID where a file cannot be read; whatever etcd answers otherwise.
 */
export async function openClient(
  access: EtcdAccess,
  endpoint: string,
  signal: AbortSignal,
): Promise<EtcdClient> {
  const credentials = await readCredentials(access, endpoint);
  signal.throwIfAborted();
  let token: string | undefined;
  const etcd = new Etcd3({
    hosts: [endpoint],
    ...(credentials === undefined ? {} : { credentials }),
    grpcOptions: CHANNEL_OPTIONS,
    // Its circuit breaker would keep a healed etcd away for seconds; the source has a loop of its own.
    faultHandling: { host: () => noop, global: noop },
    defaultCallOptions: (call) =>
      call.isStream
        ? { interceptors: [addMetadata(() => ({ hasleader: "true", token }))] }
        : { interceptors: [addMetadata(() => ({ token }))], deadline: Date.now() + CALL_TIMEOUT_MS },
  });
  const sockets = trackSockets();
  const client: EtcdClient = {
    endpoint,
    etcd,
    run: sockets.run,
    settle: sockets.settle,
    close: () => {
      signal.removeEventListener("abort", client.close);
      etcd.close();
      sockets.destroy();
    },
  };
  signal.addEventListener("abort", client.close);
  try {
    token = await sockets.run(() => signIn(etcd, access));
    return client;
  } catch (thrown) {
    client.close();
    throw thrown;
  }
}

/**
 * Adds metadata to a call. `hasleader` makes a member that is cut off from its cluster end the watch instead of
 * staying silent; the token is added here because etcd3's own sign-in leaves a channel open each time.
 */
function addMetadata(entries: () => Record<string, string | undefined>): Interceptor {
  return (options, nextCall) =>
    new InterceptingCall(nextCall(options), {
      start: (metadata, _listener, next) => {
        for (const [name, value] of Object.entries(entries())) {
          if (value !== undefined) metadata.set(name, value);
        }
        next(metadata, { onReceiveStatus: (status, nextStatus) => nextStatus(endRetries(status)) });
      },
    });
}

/**
 * etcd3 answers an expired token by calling again at once, for ever, since it did not sign in itself. Under another
 * text the error reaches the session, which ends, and the next one signs in anew.
 */
function endRetries(status: StatusObject): StatusObject {
  if (!status.details.includes("invalid auth token")) return status;
  return { ...status, details: "etcdserver: the token of this session is no longer valid" };
}

async function signIn(etcd: Etcd3, access: EtcdAccess): Promise<string | undefined> {
  if (access.username === undefined) return undefined;
  const password = access.passwordFile === undefined ? "" : await readSetting(access.passwordFile);
  const answer = await etcd.auth.authenticate({
    name: access.username,
    password: password.toString().trim(),
  });
  return answer.token;
}

async function readCredentials({ tls }: EtcdAccess, endpoint: string): Promise<IOptions["credentials"]> {
  if (!endpoint.startsWith("https:") || tls?.caFile === undefined) {
    if (tls?.certFile === undefined) return undefined;
    throw new KeyturnError("CONFIG_INVALID", "etcd.tls.certFile needs etcd.tls.caFile and https endpoints");
  }
  const [rootCertificate, privateKey, certChain] = await Promise.all([
    readSetting(tls.caFile),
    tls.keyFile === undefined ? undefined : readSetting(tls.keyFile),
    tls.certFile === undefined ? undefined : readSetting(tls.certFile),
  ]);
  if (privateKey === undefined || certChain === undefined) return { rootCertificate };
  return { rootCertificate, privateKey, certChain };
}

async function readSetting(file: string): Promise<Buffer> {
  try {
    return await readFile(file);
  } catch (cause) {
    throw new KeyturnError("CONFIG_INVALID", `cannot read ${file}: ${messageOf(cause)}`, { cause });
  }
}
