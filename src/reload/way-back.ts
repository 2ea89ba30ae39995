/** The way back: the previous generation is current again, services are told in reverse, and the content is set aside. */
import { KeyturnError } from "../core/errors.ts";
import type { Generation, RollbackCause } from "../core/generation.ts";
import type { ReloadOutcome } from "../core/outcome.ts";
import type { Store } from "./ports.ts";
import type { ReloadTools, Run } from "./step.ts";
import { type Answers, tellInReverse } from "./tell.ts";
import type { Reminder, Return, Rotation } from "./work.ts";

/** Where to, and why. */
interface WayBack {
  readonly from: Generation;
  readonly to: Generation;
  readonly cause: RollbackCause;
  readonly why: string;
  /** Services that were asked to take what is now given up; null for all. */
  readonly asked: ReadonlySet<string> | null;
}

/** A rotation that a service refused, died over, or does not serve. */
export async function goBackFrom(
  { name, asked }: Rotation,
  from: Generation,
  why: string,
  tools: ReloadTools,
  run: Run,
): Promise<ReloadOutcome> {
  const to = tools.store.previous(name);
  if (to === undefined) {
    const message = `${why}; there is no earlier generation to go back to`;
    return { kind: "failed", generation: from, message };
  }
  return goBack({ from, to, cause: "service", why, asked }, tools, run);
}

/**
 * What an operator or an alert asked for.
 *
 * @throws KeyturnError BUNDLE_UNKNOWN, GENERATION_UNKNOWN, NOTHING_TO_DO.
 */
export async function goBackAsTold(work: Return, tools: ReloadTools, run: Run): Promise<ReloadOutcome> {
  const { from, to } = endsOf(work, tools.store);
  return goBack({ from, to, cause: work.cause, why: work.why, asked: null }, tools, run);
}

/**
 * From which generation to which.
 *
 * @throws KeyturnError BUNDLE_UNKNOWN, GENERATION_UNKNOWN, NOTHING_TO_DO.
 */
export function endsOf({ name, to: id }: Return, store: Store): Pick<WayBack, "from" | "to"> {
  const from = store.current(name);
  if (from === undefined) throw new KeyturnError("BUNDLE_UNKNOWN", `there is no bundle ${name} here`);
  const to = id === null ? store.previous(name) : store.history(name).find((known) => known.id === id);
  if (to !== undefined && to.id !== from.id) return { from, to };
  if (id === null) throw new KeyturnError("NOTHING_TO_DO", `${name} has no earlier generation that was live`);
  if (to !== undefined) throw new KeyturnError("NOTHING_TO_DO", `${id} is current of ${name} already`);
  const hint = `keyturn history ${name} lists those that are kept`;
  throw new KeyturnError("GENERATION_UNKNOWN", `${name} has no generation ${id} on disk; ${hint}`);
}

async function goBack(
  { from, to, cause, why, asked }: WayBack,
  tools: ReloadTools,
  { timed, signal, becameCurrent, tryAgain }: Run,
): Promise<ReloadOutcome> {
  const { store, services, report } = tools;
  const { name } = from;
  report({ type: "rollback.started", bundle: name, from: from.id, to: to.id, cause, why });
  const flipped = await timed("rollBack", () => store.rollBack(name, to.id, { cause, why }));
  const { current } = flipped;
  becameCurrent(current);
  const told = new Set<string>();
  const { digest } = current;
  const reminder: Reminder = { kind: "remind", name, digest, reason: "rolledBack", told, insists: true };
  tryAgain(reminder);
  const users = services.filter((service) => service.uses(name));
  // Who never heard of what is given up has nothing to go back from.
  for (const { name: service } of users) if (asked !== null && !asked.has(service)) told.add(service);
  const notice = { generation: current, paths: store.paths(name), reason: "rolledBack" } as const;
  const left = users.filter((service) => !told.has(service.name));
  const telling = { services: left, notice, told, asked: null, lookFirst: true };
  const answers = await tellInReverse(telling, timed, signal);
  const trouble = troubleOf(answers);
  if (trouble !== null) {
    const message = `${why}; going back to ${to.id} did not work either: ${trouble}`;
    return { kind: "failed", generation: current, message };
  }
  const back = { kind: "rolledBack", from: flipped.from, message: why } as const;
  if (answers.unreachable.length > 0) {
    return { ...back, generation: current, unfinished: answers.unreachable.join("; ") };
  }
  const live = await timed("record", () => store.recordLive(current));
  tryAgain(null);
  return { ...back, generation: live, unfinished: null };
}

/** What a service that is there did not do; null where there is none. */
export function troubleOf({ failed, busy }: Answers): string | null {
  const all = [...failed, ...busy];
  return all.length === 0 ? null : all.join("; ");
}
