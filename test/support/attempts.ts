/** What a way of telling a service needs, and what it reported. */
import type { DaemonEvent } from "../../src/core/events.ts";
import type { AttemptOptions } from "../../src/notify/attempt.ts";
import { systemClock } from "../../src/runtime/clock.ts";

/** An attempt as it was reported. */
export type HookAttempt = Extract<DaemonEvent, { type: "hook.attempted" }>;

/** Options of the service `web` on the machine's clock, and its attempts so far. */
export function collectAttempts(): { readonly options: AttemptOptions; readonly attempts: HookAttempt[] } {
  const attempts: HookAttempt[] = [];
  const report = (event: DaemonEvent) => {
    if (event.type === "hook.attempted") attempts.push(event);
  };
  return { options: { service: "web", clock: systemClock, report }, attempts };
}
