/** Tells the services of a bundle, stage by stage, and looks at what they serve. */
import type { Generation } from "../core/generation.ts";
import type { Notice, ServiceAnswer } from "../core/service.ts";
import type { Service } from "./ports.ts";
import type { Timed } from "./step.ts";

/** Who is told, and how. */
export interface Telling {
  readonly services: readonly Service[];
  readonly notice: Notice;
  /** Grows by every service that serves the generation. */
  readonly told: Set<string>;
  /** Grows by every service before it is told. */
  readonly asked: Set<string> | null;
  /** Services that can be looked at, and serve the generation already, are left in peace. */
  readonly lookFirst: boolean;
}

/** What became of it, in words for each service that did not do it. */
export interface Answers {
  readonly failed: readonly string[];
  readonly busy: readonly string[];
  readonly unreachable: readonly string[];
}

/**
 * From the lowest stage to the highest. A stage in which a service failed or was busy is the last one; one that is not
 * running holds nobody up, for it reads the new files when it starts.
 */
export async function tellInOrder(telling: Telling, timed: Timed, signal: AbortSignal): Promise<Answers> {
  return tellStages(stagesOf(telling.services), telling, timed, signal, ({ failed, busy }) => {
    return failed.length > 0 || busy.length > 0;
  });
}

/** From the highest stage to the lowest, all of them whatever one answers: the way back. */
export async function tellInReverse(telling: Telling, timed: Timed, signal: AbortSignal): Promise<Answers> {
  return tellStages(stagesOf(telling.services).reverse(), telling, timed, signal, () => false);
}

async function tellStages(
  stages: readonly (readonly Service[])[],
  telling: Telling,
  timed: Timed,
  signal: AbortSignal,
  isEnough: (answers: Answers) => boolean,
): Promise<Answers> {
  const step = telling.notice.reason === "rolledBack" ? "notifyBack" : "notify";
  const answers = { failed: [] as string[], busy: [] as string[], unreachable: [] as string[] };
  for (const stage of stages) {
    const given = await timed(`${step}.${stage[0]?.stage}`, () => tellStage(stage, telling, signal));
    for (const answer of given) if (answer.kind !== "done") answers[answer.kind].push(answer.message);
    if (isEnough(answers)) break;
  }
  return answers;
}

/** Services of one stage, side by side. */
function tellStage(
  stage: readonly Service[],
  { notice, told, asked, lookFirst }: Telling,
  signal: AbortSignal,
): Promise<ServiceAnswer[]> {
  return Promise.all(
    stage.map(async (service) => {
      const { generation } = notice;
      const knows = lookFirst && (await doesServe(service, generation, signal));
      if (!knows) asked?.add(service.name);
      const answer: ServiceAnswer = knows ? { kind: "done" } : await tellOne(service, notice, signal);
      if (answer.kind === "done") told.add(service.name);
      return answer;
    }),
  );
}

/** What a service serves counts for more than what it answers, where it can be looked at. */
async function tellOne(service: Service, notice: Notice, signal: AbortSignal): Promise<ServiceAnswer> {
  const { generation } = notice;
  const answer = await service.notify(notice, signal);
  switch (answer.kind) {
    case "done":
      return service.verify === null ? answer : service.verify(generation, signal);
    case "busy": {
      if (service.verify === null) return answer;
      const seen = await service.verify(generation, signal);
      if (seen.kind === "done") return seen;
      return { kind: seen.kind, message: `${answer.message}; ${seen.message}` };
    }
    case "unreachable":
    case "failed":
      return (await doesServe(service, generation, signal)) ? { kind: "done" } : answer;
  }
}

async function doesServe(service: Service, generation: Generation, signal: AbortSignal): Promise<boolean> {
  return service.serves === null ? false : service.serves(generation, signal);
}

function stagesOf(services: readonly Service[]): Service[][] {
  const stages = new Map<number, Service[]>();
  for (const service of services) {
    stages.set(service.stage, [...(stages.get(service.stage) ?? []), service]);
  }
  return [...stages].sort(([a], [b]) => a - b).map(([, members]) => members);
}
