/** Tells haproxy by its runtime API, which swaps a certificate under live connections: `services[].notify.haproxy`. */
import { readFileSync } from "node:fs";
import { messageOf } from "../core/errors.ts";
import { Secret } from "../core/secret.ts";
import type { Notice, ServiceAnswer } from "../core/service.ts";
import { type Attempt, type AttemptOptions, tellOnce } from "./attempt.ts";
import { quoteName } from "./haproxy-answers.ts";
import { replaceCertificate } from "./haproxy-transaction.ts";
import type { Turns } from "./turns.ts";

/** Which haproxy, and which of its certificates. */
export interface HaproxyOptions extends AttemptOptions {
  /** The socket of `stats socket PATH level admin`. */
  readonly socketPath: string;
  /** The certificate as haproxy knows it, by the path of its `crt`; the bundle's `tls.pem` where it is not given. */
  readonly certificate?: string | undefined;
  /** For the whole of it. */
  readonly timeoutMs: number;
  /** Shared by all that may tell the same haproxy: it has one transaction, which two would spoil for each other. */
  readonly turns: Turns;
}

/**
 * Puts the bundle's key and chain in the place of a certificate that haproxy has loaded: `done` when haproxy says that
 * new connections get it. Where nobody listens on the socket, haproxy is `unreachable`.
 *
 * The signal is looked at before it begins; a transaction that is open is always brought to its end.
 */
export async function notifyHaproxy(
  options: HaproxyOptions,
  notice: Notice,
  signal: AbortSignal,
): Promise<ServiceAnswer> {
  return options.turns.take(options.socketPath, () => {
    signal.throwIfAborted();
    return tellOnce(options, notice.generation.name, () => attempt(options, notice));
  });
}

async function attempt(
  { service, socketPath, certificate, timeoutMs, clock }: HaproxyOptions,
  { generation, paths }: Notice,
): Promise<Attempt> {
  const say = (result: Attempt["result"], what: string): Attempt => ({
    result,
    message: `${service}: ${what}`,
  });
  const { combined } = paths;
  if (combined === null) {
    return say(
      "refused",
      `${generation.name} has no certificate and key for haproxy: use exec or signal for it`,
    );
  }
  const name = certificate ?? combined;
  const word = quoteName(name);
  if (word === undefined) return say("refused", `the path of ${generation.name} holds a control character`);
  let pem: Secret<string>;
  try {
    pem = new Secret(withoutEmptyLines(readFileSync(combined, "latin1")));
  } catch (thrown) {
    return say("refused", `cannot read what haproxy is to get: ${messageOf(thrown)}`);
  }
  const deadline = AbortSignal.timeout(timeoutMs);
  const { result, what } = await replaceCertificate(
    { socketPath, name, word, pem, timeoutMs, clock },
    deadline,
  );
  return say(result, what);
}

/** An empty line would end the payload there, and haproxy would take the rest of the key for commands. */
function withoutEmptyLines(pem: string): string {
  const lines = pem.split(/\r?\n/).filter((line) => line.trim() !== "");
  return `${lines.join("\n")}\n`;
}
