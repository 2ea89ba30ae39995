/** One certificate of a running haproxy, replaced by a transaction that is committed or aborted, and never left open. */
import type { HookAttemptResult } from "../core/events.ts";
import type { Secret } from "../core/secret.ts";
import { fullJitterMs } from "../runtime/backoff.ts";
import type { Clock } from "../runtime/clock.ts";
import {
  isCommitted,
  isDenied,
  isOccupied,
  isUnknown,
  parseListing,
  parseSet,
  quoteName,
  shorten,
} from "./haproxy-answers.ts";
import { ask, type SocketAnswer } from "./haproxy-socket.ts";
import { runsAs } from "./runs-as.ts";

/** What is replaced by what. */
export interface Replacement {
  readonly socketPath: string;
  /** The certificate as haproxy knows it, and the same as one word of a command. */
  readonly name: string;
  readonly word: string;
  /** Key and chain, with no empty line. */
  readonly pem: Secret<string>;
  readonly timeoutMs: number;
  readonly clock: Clock;
}

/** How it ended, for a person. */
interface Ending {
  readonly result: HookAttemptResult;
  readonly what: string;
}

const OCCUPIED_BACKOFF = { baseMs: 20, capMs: 500 };
const ABORT_TIMEOUT_MS = 1_000;
/** haproxy takes a command only where it fits into one buffer (`tune.bufsize`, 16 KiB); 2.6 otherwise hangs up. */
const MAY_NOT_FIT_BYTES = 12 << 10;
const NAMES_SHOWN = 5;

/** Replaces it. Where somebody else has a transaction open it waits for that to end, until the deadline. */
export async function replaceCertificate(task: Replacement, deadline: AbortSignal): Promise<Ending> {
  let before: Occupied | undefined;
  for (let attempt = 1; ; attempt++) {
    const tried = await tryOnce(task, deadline, before);
    if (tried.kind === "ended") return tried.ending;
    before = tried;
    try {
      await task.clock.sleep(fullJitterMs(attempt, OCCUPIED_BACKOFF), deadline);
    } catch {
      const { by } = tried;
      const whose = by === undefined ? "" : ` (of ${by}: "abort ssl cert ${by}" ends it)`;
      return { result: "busy", what: `haproxy has another transaction open${whose} on ${task.socketPath}` };
    }
  }
}

/** Somebody else is at it, `by` where haproxy says so. */
interface Occupied {
  readonly kind: "occupied";
  readonly by: string | undefined;
}

type Tried = { readonly kind: "ended"; readonly ending: Ending } | Occupied;

const ended = (result: HookAttemptResult, what: string): Tried => ({
  kind: "ended",
  ending: { result, what },
});
const OCCUPIED: Occupied = { kind: "occupied", by: undefined };

/** @param before What the try before came to. */
async function tryOnce(
  task: Replacement,
  deadline: AbortSignal,
  before: Occupied | undefined,
): Promise<Tried> {
  const { socketPath, name, word, pem } = task;
  // 1. Look first: haproxy 2.6 writes into a transaction that is open, whichever certificate it is for.
  const listed = await ask(socketPath, "show ssl cert", deadline);
  if (listed.kind !== "answer") return explainLook(task, listed, before);
  const { open, names } = parseListing(listed.text);
  if (open !== undefined && open !== name) return { kind: "occupied", by: open };
  if (isOccupied(listed.text)) return OCCUPIED;

  // 2. Set; the empty line that ends the payload is the one `ask` ends the command with.
  const set = await ask(socketPath, `set ssl cert ${word} <<\n${pem.reveal()}`, deadline);
  if (set.kind === "unreachable") return explain(task, set);
  const wroteTo = set.kind === "answer" ? parseSet(set.text) : undefined;
  if (wroteTo !== name) {
    const aborted = await abort(task, wroteTo ?? name);
    // Somebody opened another one since the look: their transaction now holds our key, and had to go.
    if (wroteTo !== undefined) return OCCUPIED;
    return isTooLong(task, set, aborted) ? explainLength(task) : explain(task, set, aborted, names);
  }

  // 3. Commit: from its answer on, new connections get it.
  const commit = await ask(socketPath, `commit ssl cert ${word}`, deadline);
  if (commit.kind === "answer" && isCommitted(commit.text)) {
    return ended("delivered", `haproxy committed ${name} on ${socketPath}`);
  }
  return explain(task, commit, await abort(task, name), names);
}

/** Past the deadline too, which may be why. There may be nothing to abort: haproxy then says so. */
function abort({ socketPath }: Replacement, name: string): Promise<SocketAnswer> {
  return ask(socketPath, `abort ssl cert ${quoteName(name)}`, AbortSignal.timeout(ABORT_TIMEOUT_MS));
}

/** Where the time is over before the look is, what the try before came to still holds. */
function explainLook(task: Replacement, listed: SocketAnswer, before: Occupied | undefined): Tried {
  return listed.kind === "timeout" && before !== undefined ? before : explain(task, listed);
}

/** What an answer that is no success means. `aborted` is what came of clearing up, once haproxy was sent something. */
function explain(
  task: Replacement,
  answer: SocketAnswer,
  aborted?: SocketAnswer,
  names: readonly string[] = [],
): Tried {
  const { socketPath, timeoutMs } = task;
  if (answer.kind !== "answer" && aborted?.kind === "unreachable") {
    return ended("refused", `haproxy is gone from ${socketPath} since it was told: it died over it`);
  }
  switch (answer.kind) {
    case "timeout":
      return ended("timeout", `haproxy did not answer within ${timeoutMs} ms on ${socketPath}`);
    case "unreachable":
      return ended("unreachable", `haproxy does not listen on ${socketPath} (${answer.code})`);
    case "broken":
      return ended("busy", `haproxy broke off the connection to ${socketPath} (${answer.code})`);
    case "denied": {
      const cure = `keyturn runs as ${runsAs()}; give the socket a group and "mode 660" in haproxy.cfg`;
      return ended("refused", `${socketPath} may not be opened (${answer.code}): ${cure}`);
    }
    case "answer":
      return isOccupied(answer.text) ? OCCUPIED : ended("refused", explainText(task, answer.text, names));
  }
}

function explainText({ socketPath, name, pem }: Replacement, text: string, names: readonly string[]): string {
  if (isDenied(text)) {
    return `haproxy does not allow it on ${socketPath}: its "stats socket" needs "level admin"`;
  }
  if (isUnknown(text)) {
    const more = names.length > NAMES_SHOWN ? `, and ${names.length - NAMES_SHOWN} more` : "";
    const known = names.length === 0 ? "none" : names.slice(0, NAMES_SHOWN).join(", ") + more;
    const cure = "set notify.haproxy.certificate to the path of its crt";
    return `haproxy has not loaded ${name}, it knows ${known}: ${cure}`;
  }
  return `haproxy did not take ${name}: ${shorten(text, pem.reveal())}`;
}

function isTooLong({ pem }: Replacement, set: SocketAnswer, aborted: SocketAnswer): boolean {
  return set.kind === "broken" && aborted.kind === "answer" && pem.reveal().length > MAY_NOT_FIT_BYTES;
}

function explainLength({ name, pem }: Replacement): Tried {
  const bytes = pem.reveal().length;
  const cure = `raise tune.bufsize in its global section, to ${2 ** Math.ceil(Math.log2(bytes + 2048))}`;
  return ended("refused", `haproxy took no certificate of ${bytes} bytes for ${name}: ${cure}`);
}
