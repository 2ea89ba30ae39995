/** What a request to change a bundle came to: the body of its answer, and the status that goes with it. */
import type { GenerationId } from "../core/generation.ts";
import type { BundleName } from "../core/names.ts";
import type { OutcomeKind, ReloadOutcome, RetryResult } from "../core/outcome.ts";
import type { Problem } from "../core/problem.ts";
import { json, type Reply } from "./reply.ts";

/** How the change ended. */
type ChangeOutcome = OutcomeKind | "rejected";

/** The body of the answer. */
export interface ChangeAnswer {
  /** Whether what was asked for is so now. */
  readonly done: boolean;
  readonly bundle: BundleName;
  readonly outcome: ChangeOutcome;
  /** What is current now; null where the outcome does not say. */
  readonly generation: GenerationId | null;
  /** What was given up for it, where something was. */
  readonly from: GenerationId | null;
  readonly message: string | null;
  /** Services that are not reachable and will be told later; null where there are none. */
  readonly unfinished: string | null;
  /** What is wrong with the content, where it was rejected. */
  readonly problems: readonly Problem[];
}

const DONE = 200;
const STATUS_IF_NOT_DONE: Readonly<Record<ChangeOutcome, number>> = {
  pending: 202,
  unchanged: 409,
  live: 409,
  rolledBack: 409,
  interrupted: 409,
  rejected: 422,
  failed: 500,
};

/** The answer to `POST /-/bundles/<name>/rollback`. */
export function answerRollback(bundle: BundleName, outcome: ReloadOutcome): Reply {
  return reply({ ...describe(bundle, outcome), done: outcome.kind === "rolledBack" });
}

/** The answer to `POST /-/bundles/<name>/retry`. */
export function answerRetry(bundle: BundleName, result: RetryResult): Reply {
  if (result.kind === "rejected") {
    const nothing = { generation: null, from: null, message: null, unfinished: null };
    return reply({ done: false, bundle, outcome: "rejected", ...nothing, problems: result.problems });
  }
  const { outcome } = result;
  return reply({
    ...describe(bundle, outcome),
    done: outcome.kind === "live" || outcome.kind === "unchanged",
  });
}

function describe(bundle: BundleName, outcome: ReloadOutcome): Omit<ChangeAnswer, "done"> {
  return {
    bundle,
    outcome: outcome.kind,
    generation: "generation" in outcome ? (outcome.generation?.id ?? null) : null,
    from: outcome.kind === "rolledBack" ? outcome.from.id : null,
    message: messageOf(outcome),
    unfinished: outcome.kind === "rolledBack" ? outcome.unfinished : null,
    problems: [],
  };
}

function messageOf(outcome: ReloadOutcome): string | null {
  switch (outcome.kind) {
    case "unchanged":
      return null;
    case "live":
      return outcome.warning;
    case "interrupted":
      return "something newer came for the bundle, or keyturn stops: look at keyturn status";
    case "pending":
    case "rolledBack":
    case "failed":
      return outcome.message;
  }
}

function reply(answer: ChangeAnswer): Reply {
  return json(answer.done ? DONE : STATUS_IF_NOT_DONE[answer.outcome], answer);
}
