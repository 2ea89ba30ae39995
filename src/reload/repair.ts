/** Puts right what is not on disk as it was written, and tells services only where they may have been misled. */
import type { ReloadOutcome } from "../core/outcome.ts";
import { mend } from "./mend.ts";
import { becomeLive, type ReloadTools, type Run } from "./step.ts";
import { tellInOrder } from "./tell.ts";
import { troubleOf } from "./way-back.ts";
import type { Repair } from "./work.ts";

/** Looks again, for a reload may have come between. */
export async function repair(work: Repair, tools: ReloadTools, run: Run): Promise<ReloadOutcome> {
  const { store, services } = tools;
  const { timed, signal } = run;
  const { name } = work;
  const before = store.current(name);
  if (before === undefined) throw new Error(`${name} has no current generation`);
  const { current, findings, mayMislead, thrown } = await mend(before, tools, run);
  if (findings.length === 0) return { kind: "unchanged", generation: before };
  if (thrown !== undefined) throw thrown;

  const users = mayMislead ? services.filter((service) => service.uses(name)) : [];
  const notice = { generation: current, paths: store.paths(name), reason: "repaired" } as const;
  const told = new Set<string>();
  const answers = await tellInOrder(
    { services: users, notice, told, asked: null, lookFirst: true },
    timed,
    signal,
  );
  const trouble = troubleOf(answers);
  run.tryAgain({ kind: "remind", name, digest: current.digest, reason: "repaired", told, insists: true });
  if (trouble !== null) return { kind: "failed", generation: current, message: trouble };
  if (answers.unreachable.length > 0) {
    return { kind: "pending", generation: current, message: answers.unreachable.join("; ") };
  }
  return becomeLive(current, tools, run);
}
