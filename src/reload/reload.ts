/** One reload: stage, activate, notify, verify, record; whatever fails, what was live before stays on disk. */
import type { Bundle } from "../core/bundle.ts";
import type { Digest } from "../core/digest.ts";
import { messageOf } from "../core/errors.ts";
import type { Generation } from "../core/generation.ts";
import type { BundleName } from "../core/names.ts";
import type { ReloadOutcome, ReloadReason } from "../core/outcome.ts";
import type { Notice, ServiceAnswer } from "../core/service.ts";
import type { Clock } from "../runtime/clock.ts";
import type { Service, Store } from "./ports.ts";

/** What is to become live. */
export interface Work {
  readonly name: BundleName;
  readonly digest: Digest;
  /** Null after a restart, where the generation is current already and only the services are still to be told. */
  readonly bundle: Bundle | null;
  readonly reason: ReloadReason;
  /** Services that know this content already: a retry leaves them in peace. Grows as they answer. */
  readonly told: Set<string>;
}

/** What a reload works with. */
export interface ReloadTools {
  readonly store: Store;
  readonly services: readonly Service[];
  readonly clock: Clock;
}

/** How a reload ended, and how long each step took in milliseconds. */
export interface ReloadReport {
  readonly outcome: ReloadOutcome;
  readonly steps: Readonly<Record<string, number>>;
}

/** Runs one reload. Never throws: an abort is the outcome `interrupted`, any other failure the outcome `failed`. */
export async function reload(work: Work, tools: ReloadTools, signal: AbortSignal): Promise<ReloadReport> {
  const steps: Record<string, number> = {};
  const timed = async <T>(step: string, task: () => Promise<T>): Promise<T> => {
    signal.throwIfAborted();
    const begin = tools.clock.monotonicMs();
    try {
      return await task();
    } finally {
      steps[step] = tools.clock.monotonicMs() - begin;
    }
  };
  let current: Generation | null = null;
  try {
    const outcome = await run(work, tools, timed, signal, (generation) => {
      current = generation;
    });
    return { outcome, steps };
  } catch (thrown) {
    if (signal.aborted) return { outcome: { kind: "interrupted" }, steps };
    return { outcome: { kind: "failed", generation: current, message: messageOf(thrown) }, steps };
  }
}

type Timed = <T>(step: string, task: () => Promise<T>) => Promise<T>;

async function run(
  work: Work,
  { store, services }: ReloadTools,
  timed: Timed,
  signal: AbortSignal,
  becameCurrent: (generation: Generation) => void,
): Promise<ReloadOutcome> {
  // 1. Nothing at all happens where the digest is the live one.
  const before = store.current(work.name);
  if (before?.digest === work.digest && before.state === "live")
    return { kind: "unchanged", generation: before };

  // 2. and 3. Write it and flip to it, unless an earlier run, perhaps before a crash, came that far.
  let generation = before;
  if (before?.digest !== work.digest) {
    const { bundle } = work;
    if (bundle === null) throw new Error(`${work.name} is no longer the content that was to be finished`);
    const staged = await timed("stage", () => store.stage(bundle));
    generation = await timed("activate", () => store.activate(staged));
  }
  if (generation === undefined) throw new Error(`${work.name} has no current generation`);
  const current = generation;
  becameCurrent(current);

  // 4. and 5. Tell the services and look at what they serve, stage by stage.
  const notice: Notice = { generation: current, paths: store.paths(work.name), reason: work.reason };
  const users = services.filter((service) => service.uses(work.name) && !work.told.has(service.name));
  const unreachable: string[] = [];
  for (const stage of stagesOf(users)) {
    const answers = await timed(`notify.${stage[0]?.stage}`, () => tell(stage, notice, work.told, signal));
    const failed = answers.flatMap((answer) => (answer.kind === "failed" ? [answer.message] : []));
    if (failed.length > 0) return { kind: "failed", generation: current, message: failed.join("; ") };
    unreachable.push(...answers.flatMap((answer) => (answer.kind === "unreachable" ? [answer.message] : [])));
  }
  if (unreachable.length > 0)
    return { kind: "pending", generation: current, message: unreachable.join("; ") };

  // 6. From here on the same content does nothing.
  const live = await timed("record", () => store.recordLive(current));

  // 7. Old generations go last; one that stays does no harm.
  const warning = await timed("prune", () => prune(store, work.name));
  return { kind: "live", generation: live, warning };
}

async function prune(store: Store, name: BundleName): Promise<string | null> {
  try {
    await store.prune(name);
    return null;
  } catch (thrown) {
    return messageOf(thrown);
  }
}

/** Services of one stage, side by side: each is told, then looked at. */
function tell(
  stage: readonly Service[],
  notice: Notice,
  told: Set<string>,
  signal: AbortSignal,
): Promise<ServiceAnswer[]> {
  const tellOne = async (service: Service): Promise<ServiceAnswer> => {
    const told = await service.notify(notice, signal);
    return told.kind === "done" && service.verify ? service.verify(notice.generation, signal) : told;
  };
  return Promise.all(
    stage.map(async (service) => {
      const answer = await tellOne(service);
      if (answer.kind === "done") told.add(service.name);
      return answer;
    }),
  );
}

function stagesOf(services: readonly Service[]): Service[][] {
  const stages = new Map<number, Service[]>();
  for (const service of services) {
    stages.set(service.stage, [...(stages.get(service.stage) ?? []), service]);
  }
  return [...stages].sort(([a], [b]) => a - b).map(([, members]) => members);
}
