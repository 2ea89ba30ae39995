/** Puts right what is not on disk as it was written: as a reload of its own, and before services are told again. */
import { messageOf } from "../core/errors.ts";
import type { Generation } from "../core/generation.ts";
import type { Finding } from "./ports.ts";
import type { ReloadTools, Run } from "./step.ts";

/** What was found, and what came of it. */
export interface Mended {
  /** The generation that is current now: another one where the folder of what was current is gone. */
  readonly current: Generation;
  readonly findings: readonly Finding[];
  /** Whether a service may have read something wrong. */
  readonly mayMislead: boolean;
  /** What stood in the way, where not everything could be put right; else undefined. */
  readonly thrown: unknown;
}

/** Looks, and repairs from what is in etcd where that is the same content. */
export async function mend(before: Generation, tools: ReloadTools, run: Run): Promise<Mended> {
  const { upkeep, contentOf, report } = tools;
  const { timed, signal } = run;
  const { name, digest } = before;
  run.becameCurrent(before);
  const findings = await timed("audit", () => upkeep.audit(name));
  if (findings.length === 0) return { current: before, findings, mayMislead: false, thrown: undefined };
  const misleads = findings.some((finding) => finding.misleads);
  const drift = {
    type: "bundle.drifted",
    bundle: name,
    findings: findings.map(({ message }) => message),
  } as const;
  try {
    const bundle = await timed("examine", () => contentOf(name, digest, signal));
    const current = await timed("repair", () => upkeep.repair(name, bundle));
    report({ ...drift, failure: null });
    run.becameCurrent(current);
    return { current, findings, mayMislead: misleads || current.id !== before.id, thrown: undefined };
  } catch (thrown) {
    if (signal.aborted) throw thrown;
    report({ ...drift, failure: messageOf(thrown) });
    return { current: before, findings, mayMislead: misleads, thrown };
  }
}

/**
 * Before services are told of what was written earlier: it may be gone or changed since.
 *
 * @param told Is emptied where those that know the generation may have read something wrong.
 */
export async function mendFirst(
  before: Generation,
  told: Set<string>,
  tools: ReloadTools,
  run: Run,
): Promise<Generation> {
  const { current, mayMislead, thrown } = await mend(before, tools, run);
  if (!mayMislead) return current;
  if (thrown !== undefined) throw thrown;
  told.clear();
  return current;
}
