/** One attempt to tell a service: made, reported, and turned into the answer that a reload goes by. */
import type { HookAttemptResult, Report } from "../core/events.ts";
import type { BundleName } from "../core/names.ts";
import type { ServiceAnswer } from "../core/service.ts";
import type { Clock } from "../runtime/clock.ts";

/** How an attempt ended. `message` begins with the service's name, and says what to do where it did not succeed. */
export interface Attempt {
  readonly result: HookAttemptResult;
  readonly message: string;
}

/** What every way of telling a service needs. */
export interface AttemptOptions {
  /** Its name in the configuration. */
  readonly service: string;
  readonly clock: Clock;
  readonly report: Report;
}

const KINDS = {
  delivered: "done",
  busy: "busy",
  timeout: "busy",
  refused: "failed",
  unreachable: "unreachable",
} as const satisfies Record<HookAttemptResult, ServiceAnswer["kind"]>;

/** What an attempt comes to, where no other follows. */
export function answerOf({ result, message }: Attempt): ServiceAnswer {
  const kind = KINDS[result];
  return kind === "done" ? { kind } : { kind, message };
}

/** Makes an attempt and reports it. */
export async function reportAttempt<A extends Attempt>(
  { service, clock, report }: AttemptOptions,
  bundle: BundleName,
  attempt: number,
  make: () => A | Promise<A>,
): Promise<A> {
  const begin = clock.monotonicMs();
  const made = await make();
  const { result, message } = made;
  const durationMs = clock.monotonicMs() - begin;
  report({ type: "hook.attempted", service, bundle, attempt, result, message, durationMs });
  return made;
}

/** The whole of a way that tries once: whoever asked for it tries again. */
export async function tellOnce(
  options: AttemptOptions,
  bundle: BundleName,
  make: () => Attempt | Promise<Attempt>,
): Promise<ServiceAnswer> {
  return answerOf(await reportAttempt(options, bundle, 1, make));
}
