/** Tells of requests that are refused, so that nobody guesses a token unseen. Never what was sent as one. */
import type { IncomingMessage } from "node:http";
import type { AdminRefusal, Report } from "../core/events.ts";
import { shorten } from "../core/words.ts";
import { systemClock } from "../runtime/clock.ts";
import { type NowAndThen, nowAndThen } from "../runtime/now-and-then.ts";
import { type Denial, type Reply, refused } from "./reply.ts";
import { pathOf } from "./target.ts";

/** Each reason is said once in so long: who can ask can ask as often as they like. */
const SAID_EVERY_MS = 60_000;

/** Tells of a request that is refused, and makes its answer. */
export type TurnAway = (request: IncomingMessage, denial: Denial) => Reply;

/** Every refusal is reported; whether it is worth a line of the log, the event says. */
export function createTurnAway(report: Report): TurnAway {
  const timesOf = new Map<AdminRefusal, NowAndThen>();
  return ({ method = "", url = "", socket }, denial) => {
    const { reason, error } = denial;
    const happens = timesOf.get(reason) ?? nowAndThen(SAID_EVERY_MS, systemClock);
    timesOf.set(reason, happens);
    report({
      type: "admin.refused",
      reason,
      message: error.message,
      request: shorten(`${method} ${pathOf(url)}`),
      from: socket.remoteAddress ?? "",
      times: happens(),
    });
    return refused(denial);
  };
}
