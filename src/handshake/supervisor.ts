/**
 * TLS in a child process: whatever a certificate does to the TLS library, the daemon goes on.
 *
 *     question ─► shared child ─┬─► answer
 *                               └─► lost ─► alone in a child of its own ─┬─► answer
 *                                                                        └─► lost: it was this question
 */
import { setMaxListeners } from "node:events";
import { KeyturnError } from "../core/errors.ts";
import type { Report } from "../core/events.ts";
import type { LookAt, Prove } from "../core/handshake.ts";
import type { Clock } from "../runtime/clock.ts";
import { Gate } from "./gate.ts";
import { Lane } from "./lane.ts";
import { bareIdentity, type Question } from "./messages.ts";
import { problemsIn, sightIn } from "./outcome.ts";

/** How handshakes are made. */
export interface HandshakeOptions {
  readonly clock: Clock;
  /** Told of every child that is lost. */
  readonly report: Report;
  /** How long the child may take for a proof, and beyond its time for a look. */
  readonly deadlineMs?: number;
  /** A child is replaced, without anybody waiting for it, after so many answers or with so much resident memory. */
  readonly maxAnswers?: number;
  readonly maxRssBytes?: number;
}

/** Handshakes, until they are closed: what is asked then, or still waits, rejects. */
export interface Handshakes {
  readonly prove: Prove;
  readonly lookAt: LookAt;
  close(): Promise<void>;
}

/** A proof is work for the processor, of which the child uses one; more at a time only come nearer to their deadline. */
const PROOFS_AT_ONCE = 4;
/** A look mostly waits for the network. */
const LOOKS_AT_ONCE = 32;

/** Starts the child, without waiting for it. */
export function startHandshakes(options: HandshakeOptions): Handshakes {
  const { clock, report, deadlineMs = 5_000, maxAnswers = 5_000, maxRssBytes = 384 << 20 } = options;
  const wear = { clock, report, maxAnswers, maxRssBytes };
  const shared = new Lane({ ...wear, isWarm: true });
  const alone = new Lane({ ...wear, isWarm: false });
  const [proofs, looks, suspects] = [new Gate(PROOFS_AT_ONCE), new Gate(LOOKS_AT_ONCE), new Gate(1)];
  const open = new Set<AbortController>();
  let isClosed = false;
  shared.warm();

  const askAlone = async (question: () => Question, ms: number, signal: AbortSignal) => {
    await suspects.enter(signal);
    try {
      return await alone.ask(question, ms);
    } finally {
      suspects.leave();
      if (suspects.isEmpty) alone.rest();
    }
  };
  const ask = async (gate: Gate, question: () => Question, ms: number, signal: AbortSignal) => {
    await gate.enter(signal);
    const first = await shared.ask(question, ms).finally(() => gate.leave());
    // Nobody knows over which of its questions a child was lost: each is asked again with no other beside it.
    const isLost = first.kind === "crashed" || first.kind === "hung";
    return isLost ? askAlone(question, ms, signal) : first;
  };
  const answerTo = (gate: Gate, question: () => Question, ms: number, signal: AbortSignal) => {
    if (isClosed) throw closedError();
    // As many as like may be asked under one signal.
    setMaxListeners(0, signal);
    return runOpen(open, signal, (over) => ask(gate, question, ms, over));
  };

  return {
    prove: async (candidate, signal) => {
      const question = (): Question => ({
        kind: "prove",
        candidate: { ...candidate, identity: bareIdentity(candidate.identity) },
      });
      return problemsIn(await answerTo(proofs, question, deadlineMs, signal));
    },
    lookAt: async (look, signal) => {
      const client = look.client;
      const question = (): Question => ({
        kind: "look",
        look: { ...look, client: client === null ? null : bareIdentity(client) },
      });
      return sightIn(await answerTo(looks, question, look.timeoutMs + deadlineMs, signal), look);
    },
    close: async () => {
      isClosed = true;
      for (const over of open) over.abort(closedError());
      await Promise.all([shared.close(), alone.close()]);
    },
  };
}

function closedError(): KeyturnError {
  return new KeyturnError("PROGRAM_FAILED", "the process that makes TLS handshakes was closed");
}

/** Does the work under a signal of its own, which ends with that of the caller; what is open can be ended from outside. */
function runOpen<T>(
  open: Set<AbortController>,
  signal: AbortSignal,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  return new Promise((resolve, reject) => {
    const over = new AbortController();
    const abort = (): void => over.abort(signal.reason);
    over.signal.addEventListener("abort", () => reject(over.signal.reason));
    signal.addEventListener("abort", abort);
    open.add(over);
    if (signal.aborted) abort();
    work(over.signal)
      .then(resolve, reject)
      .finally(() => {
        open.delete(over);
        signal.removeEventListener("abort", abort);
      });
  });
}
