/**
 * The process that makes TLS handshakes for keyturn, and may end over one.
 *
 * It is asked and answers over the channel of `fork`, and ends with the process at the other end of it.
 */
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { messageOf } from "../core/errors.ts";
import { systemClock, yieldToOthers } from "../runtime/clock.ts";
import { createContexts } from "./contexts.ts";
import { shakeHands, warmUp } from "./in-memory.ts";
import { look } from "./look.ts";
import type { Answer, Asked, Question, Said } from "./messages.ts";

/** What OpenSSL holds is freed by the collector, which sees only how small the objects are that hold it. */
const COLLECT_EVERY = 250;

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as () => void;
const contexts = createContexts();
let uncollected = 0;
let rssBytes = process.memoryUsage.rss();

async function answer(question: Question): Promise<Answer> {
  try {
    return question.kind === "prove"
      ? { kind: "proven", problems: await shakeHands(question.candidate, contexts) }
      : { kind: "seen", sight: await look(question.look, contexts, systemClock) };
  } catch (thrown) {
    return { kind: "broken", message: messageOf(thrown) };
  }
}

async function take({ id, question }: Asked): Promise<void> {
  const said = await answer(question);
  say({ kind: "answer", id, answer: said, rssBytes });
  // The look takes as long as a third of a handshake: nobody waits for it, and the next answer brings it along.
  rssBytes = process.memoryUsage.rss();
  contexts.makeSpare();
  uncollected++;
  if (uncollected < COLLECT_EVERY) return;
  uncollected = 0;
  // The answer goes out first.
  await yieldToOthers();
  collect();
}

function say(said: Said): void {
  // Where nobody listens any more, "disconnect" is on its way.
  process.send?.(said, () => undefined);
}

process.on("message", (asked: Asked) => void take(asked));
process.on("disconnect", () => process.exit(0));
// They come to all processes of a terminal or a service at once. This one ends after keyturn, which may still need it.
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => undefined);
await warmUp(contexts);
contexts.makeSpare();
say({ kind: "ready" });
