/** Counts what became of test cases, and keeps what is worth a look. */
import type { Problem } from "../../src/core/problem.ts";
import type { LimboCase } from "./limbo-case.ts";
import type { Verdict } from "./verdict.ts";

/** A case that did not go as the file expects. */
export interface Finding {
  readonly id: string;
  /** The first line of its description. */
  readonly description: string;
  /** Tags of the file: a feature that not every implementation has, or a case that cannot agree beside this one. */
  readonly features: readonly string[];
  readonly conflictsWith: readonly string[];
}

/** One that keyturn refuses, with its reasons. */
export interface Refusal extends Finding {
  readonly problems: readonly Problem[];
}

/** One over which keyturn broke down. */
export interface Breakdown extends Finding {
  readonly how: string;
}

/** Everything there is to report. */
export interface Result {
  readonly cases: number;
  readonly agreement: number;
  readonly falseAccepts: readonly Finding[];
  readonly falseRejects: readonly Refusal[];
  /** Ids by reason. */
  readonly notApplicable: Readonly<Record<string, readonly string[]>>;
  /** Refused, because the process that makes handshakes ended or hung over it: counted above, too. */
  readonly contained: readonly Refusal[];
  readonly broken: readonly Breakdown[];
  readonly hung: readonly Breakdown[];
  readonly crashed: readonly Breakdown[];
}

const CONTAINED = ["HANDSHAKE_CRASHED", "HANDSHAKE_TIMEOUT"];
const MAX_DESCRIPTION_LENGTH = 160;

/** Takes cases in, one after another. */
export class Tally {
  readonly #falseAccepts: Finding[] = [];
  readonly #falseRejects: Refusal[] = [];
  readonly #contained: Refusal[] = [];
  readonly #breakdowns = { broken: [], hung: [], crashed: [] } as {
    readonly [K in "broken" | "hung" | "crashed"]: Breakdown[];
  };
  readonly #notApplicable = new Map<string, string[]>();
  #cases = 0;
  #agreement = 0;

  get cases(): number {
    return this.#cases;
  }

  add(testCase: LimboCase, verdict: Verdict): void {
    this.#cases++;
    const finding = findingOf(testCase);
    const isGood = testCase.expected_result === "SUCCESS";
    switch (verdict.kind) {
      case "accepted":
        if (isGood) this.#agreement++;
        else this.#falseAccepts.push(finding);
        return;
      case "rejected": {
        const refusal = { ...finding, problems: verdict.problems };
        if (isGood) this.#falseRejects.push(refusal);
        else this.#agreement++;
        if (verdict.problems.some(({ code }) => CONTAINED.includes(code))) this.#contained.push(refusal);
        return;
      }
      case "notApplicable":
        this.#addNotApplicable(verdict.why, testCase.id);
        return;
      default:
        this.#breakdowns[verdict.kind].push({ ...finding, how: verdict.how });
    }
  }

  /** A case that cannot be read. */
  addUnreadable(id: string, fault: string): void {
    this.#cases++;
    this.#addNotApplicable(`not in the format: ${fault}`, id);
  }

  result(): Result {
    return {
      cases: this.#cases,
      agreement: this.#agreement,
      falseAccepts: this.#falseAccepts,
      falseRejects: this.#falseRejects,
      notApplicable: Object.fromEntries(this.#notApplicable),
      contained: this.#contained,
      ...this.#breakdowns,
    };
  }

  #addNotApplicable(why: string, id: string): void {
    const ids = this.#notApplicable.get(why) ?? [];
    ids.push(id);
    this.#notApplicable.set(why, ids);
  }
}

function findingOf({ id, description, features, conflicts_with: conflictsWith }: LimboCase): Finding {
  const [line = ""] = description.trim().split("\n");
  return { id, description: line.slice(0, MAX_DESCRIPTION_LENGTH), features, conflictsWith };
}
