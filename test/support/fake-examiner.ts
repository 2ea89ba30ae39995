/** A process that examines test cases as their ids ask it to: for the tests of what happens when one goes wrong. */
import { print } from "../../src/cli/print.ts";
import type { Verdict } from "../conformance/verdict.ts";

const WAYS: Readonly<Record<string, () => Verdict | undefined>> = {
  accepts: () => ({ kind: "accepted" }),
  rejects: () => ({ kind: "rejected", problems: [{ code: "CHAIN_UNTRUSTED", message: "not trusted" }] }),
  contains: () => ({ kind: "rejected", problems: [{ code: "HANDSHAKE_CRASHED", message: "it ended" }] }),
  passes: () => ({ kind: "notApplicable", why: "no setting" }),
  breaks: () => ({ kind: "broken", how: "a check threw" }),
  prints: () => {
    print("x".repeat(1_000_000));
    return { kind: "accepted" };
  },
  waits: () => undefined,
  exits: () => process.exit(7),
  dies: () => {
    process.kill(process.pid, "SIGSEGV");
    return undefined;
  },
  // No timer of this process ever fires again.
  spins: () => {
    for (;;);
  },
};

process.on("message", ({ json }: { readonly json: { readonly id: string } }) => {
  const [, way = ""] = json.id.split("::");
  const verdict = WAYS[way]?.();
  if (verdict !== undefined) process.send?.(verdict);
  // Dies of itself when nothing is asked of it.
  if (way === "accepts" && json.id.endsWith("::last")) process.exit(0);
});
process.once("disconnect", () => process.exit());
process.send?.("ready");
