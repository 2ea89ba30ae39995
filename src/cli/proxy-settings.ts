/** The settings of `keyturn proxy`, from its flags. */
import { isIP } from "node:net";
import type { ZodType } from "zod";
import { duration, listenAddress, positiveDuration, serviceAddress } from "../config/values.ts";
import { KeyturnError } from "../core/errors.ts";
import type { HookProof } from "../hot-swap/take-hook.ts";
import type {
  Address,
  BytesMode,
  ClientCertificates,
  HttpMode,
  ProxySettings,
  Target,
} from "../proxy/settings.ts";

/** What was typed. */
export interface ProxyFlags {
  readonly listen: string;
  readonly to: string;
  readonly bundle: string;
  readonly http?: true;
  readonly alpn?: string;
  readonly clientCertificates: ClientCertificates;
  readonly trust?: string;
  readonly trustForwarded?: true;
  readonly hook?: string;
  readonly hookSecretFile?: string;
  readonly wait: string;
  readonly metrics?: string;
  readonly drain: string;
  readonly maxConnectionAge?: string;
  readonly handshakeTimeout: string;
  readonly connectTimeout: string;
  readonly responseTimeout?: string;
  readonly logLevel: string;
  readonly logFormat: "auto" | "json" | "text";
}

const DEFAULT_RESPONSE_TIMEOUT = "10m";

/** What the flags come to. @throws KeyturnError USAGE, with the flag. */
export function readProxyFlags(flags: ProxyFlags): {
  readonly settings: ProxySettings;
  readonly drainMs: number;
} {
  const { clientCertificates, trust, hook, hookSecretFile, metrics } = flags;
  if (trust !== undefined && clientCertificates === "off")
    throw wrong("--trust", "says who issues client certificates: add --client-certificates");
  if (hookSecretFile !== undefined && hook === undefined) throw wrong("--hook-secret-file", "needs --hook");
  const settings = {
    listen: read("--listen", flags.listen, listenAddress),
    to: readTarget(flags.to),
    mode: flags.http === true ? httpMode(flags) : bytesMode(flags),
    bundleDir: flags.bundle,
    clientCertificates,
    trustDir: trust,
    hook: hook === undefined ? undefined : readHook(hook, hookSecretFile),
    metrics: metrics === undefined ? undefined : read("--metrics", metrics, listenAddress),
    firstWithinMs: read("--wait", flags.wait, duration),
    handshakeTimeoutMs: read("--handshake-timeout", flags.handshakeTimeout, positiveDuration),
    connectTimeoutMs: read("--connect-timeout", flags.connectTimeout, positiveDuration),
  };
  return { settings, drainMs: read("--drain", flags.drain, duration) };
}

/** Whether what is sent there stays on this node, as far as the address tells. */
export function isLocal(to: Target): boolean {
  return "socketPath" in to || isLoopback(to);
}

function httpMode(flags: ProxyFlags): HttpMode {
  if (flags.alpn !== undefined) throw wrong("--alpn", "is for bytes: with --http it is h2,http/1.1");
  const age = flags.maxConnectionAge;
  const ageMs = age === undefined ? undefined : read("--max-connection-age", age, positiveDuration);
  return {
    kind: "http",
    trustForwarded: flags.trustForwarded === true,
    responseTimeoutMs: read(
      "--response-timeout",
      flags.responseTimeout ?? DEFAULT_RESPONSE_TIMEOUT,
      duration,
    ),
    // Spread over the second half: clients do not come back all at once.
    maxConnectionAge: ageMs === undefined ? undefined : { afterMs: ageMs / 2, windowMs: ageMs / 2 },
  };
}

function bytesMode({ alpn, trustForwarded, maxConnectionAge, responseTimeout }: ProxyFlags): BytesMode {
  const onlyHttp = {
    "--trust-forwarded": trustForwarded,
    "--max-connection-age": maxConnectionAge,
    "--response-timeout": responseTimeout,
  };
  for (const [flag, value] of Object.entries(onlyHttp)) {
    if (value !== undefined)
      throw wrong(flag, "needs --http: nobody knows when a message of other protocols ends");
  }
  const protocols = alpn?.split(",").map((protocol) => protocol.trim()) ?? [];
  // RFC 7301 §3.1: one to 255 bytes each.
  if (protocols.some((protocol) => !/^[!-~]{1,255}$/.test(protocol)))
    throw wrong("--alpn", `expected protocols such as h2,http/1.1, and not ${JSON.stringify(alpn)}`);
  return { kind: "bytes", alpn: protocols };
}

function readTarget(text: string): Target {
  const socketPath = /^unix:(?:\/\/)?(\/.+)$/.exec(text)?.[1];
  if (socketPath !== undefined) return { socketPath };
  if (text.startsWith("unix:")) throw wrong("--to", "expected unix: and an absolute path");
  return read("--to", text, serviceAddress);
}

function readHook(text: string, secretFile: string | undefined): { listen: Address; proof: HookProof } {
  const listen = read("--hook", text, listenAddress);
  if (secretFile !== undefined) return { listen, proof: { secretFile } };
  if (!isLoopback(listen)) throw wrong("--hook", "can be reached by others: add --hook-secret-file");
  return { listen, proof: { unsigned: true } };
}

function isLoopback({ host }: Address): boolean {
  return host === "localhost" || host === "::1" || (isIP(host) === 4 && host.startsWith("127."));
}

function read<T>(flag: string, text: string, type: ZodType<T>): T {
  const result = type.safeParse(text);
  if (result.success) return result.data;
  throw wrong(flag, `${result.error.issues[0]?.message}, and not ${JSON.stringify(text)}`);
}

function wrong(flag: string, what: string): KeyturnError {
  return new KeyturnError("USAGE", `${flag}: ${what}`);
}
