/** Examines one test case after another as the daemon examines bundles. Started by `examiner.ts`; ends with it. */
import { messageOf } from "../../src/core/errors.ts";
import type { CheckPolicy } from "../../src/core/policy.ts";
import { startHandshakes } from "../../src/handshake/supervisor.ts";
import { createExamine } from "../../src/preflight/examine.ts";
import { unlock } from "../../src/preflight/unlock.ts";
import { systemClock } from "../../src/runtime/clock.ts";
import { readCase } from "./limbo-case.ts";
import { trialOf } from "./trial.ts";
import type { Verdict } from "./verdict.ts";

const stopping = new AbortController();
// What could be reported is in the verdict, too.
const handshakes = startHandshakes({ clock: systemClock, report: () => undefined });

/** The policy of the case that is examined: there is one at a time. */
let policy: CheckPolicy | undefined;
const examine = createExamine({
  policyFor: () => {
    if (policy === undefined) throw new Error("no case is examined");
    return policy;
  },
  unlock,
  prove: handshakes.prove,
  clock: systemClock,
  report: () => undefined,
  guardTrust: null,
});

async function verdictOf(json: unknown): Promise<Verdict> {
  const testCase = readCase(json);
  if ("fault" in testCase) return { kind: "notApplicable", why: testCase.fault };
  const trial = trialOf(testCase, systemClock.now());
  if ("notApplicable" in trial) return { kind: "notApplicable", why: trial.notApplicable };
  if (!trial.read.ok) return { kind: "rejected", problems: trial.read.problems };
  policy = trial.policy;
  const examined = await examine(trial.read.contents, stopping.signal);
  if (examined.ok) return { kind: "accepted" };
  const fault = examined.problems.find(({ code }) => code === "CHECK_FAILED");
  return fault === undefined
    ? { kind: "rejected", problems: examined.problems }
    : { kind: "broken", how: fault.message };
}

process.on("message", async ({ json }: { readonly json: unknown }) => {
  const verdict = await verdictOf(json).catch(
    (thrown): Verdict => ({ kind: "broken", how: messageOf(thrown) }),
  );
  process.send?.(verdict);
});
process.once("disconnect", () => process.exit());
process.send?.("ready");
