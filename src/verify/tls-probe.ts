/** Looks at what a service serves over TLS, with fresh sessions, until all of them get the new certificate. */
import type { Generation } from "../core/generation.ts";
import type { ServiceAnswer } from "../core/service.ts";
import { reportChanges } from "./changes.ts";
import { keepLooking, secondsOf } from "./patience.ts";
import { lookForLeaf, lookTls, type TlsProbe, type TlsTools } from "./tls-look.ts";
import { adviceOn, type Mismatch } from "./verdict.ts";

/**
 * Looks until `connections` looks in a row see the leaf of `expected` with a chain that its own trust accepts, or until
 * `withinMs` is over. The first look is at once. Never `unreachable`: a service that was told and is gone died over it.
 *
 * Not every look is reported, for a service may be looked at many times a second while it restarts. What the first look
 * sees is the state the service was found in, which is no failure yet; after that each result is reported when it is
 * seen for the first time, and the end always is, as a match only where all connections match. So a failure is counted
 * once however often it was looked at, and a service that takes a moment to swap counts none.
 *
 * A generation without a leaf is done without a look. Rejects with the signal's reason, or with what `trustOf` and
 * `clientOf` reject with.
 */
export async function verifyTls(
  probe: TlsProbe,
  expected: Generation,
  tools: TlsTools,
  signal: AbortSignal,
): Promise<ServiceAnswer> {
  const { leaf } = expected;
  if (leaf === null) return { kind: "done" };
  const { clock } = tools;
  const begin = clock.monotonicMs();
  const tell = reportChanges(tools.report);
  const seen = { looks: 0, mismatches: 0, row: 0, last: undefined as Mismatch | undefined };
  const isServed = await keepLooking(
    probe.withinMs,
    clock,
    async (timeoutMs) => {
      const looked = await lookForLeaf(probe, expected, leaf, tools, timeoutMs, signal);
      seen.looks++;
      if (looked.verdict.kind === "matches") {
        if (++seen.row < probe.connections) return "again";
        tell.end(looked);
        return "enough";
      }
      seen.last = looked.verdict;
      seen.mismatches++;
      seen.row = 0;
      tell.mismatch(looked);
      return "later";
    },
    signal,
  );
  if (isServed || seen.last === undefined) return { kind: "done" };
  tell.end();
  const share = `${seen.mismatches} of ${seen.looks} connections in ${secondsOf(clock.monotonicMs() - begin)}`;
  return {
    kind: "failed",
    message: `${seen.last.message}; ${share} went wrong; ${adviceOn(seen.last, probe)}`,
  };
}

/**
 * Whether every one of `connections` looks, made now and without a wait, sees the leaf of `expected` with a chain that
 * its own trust accepts; the first that does not is the last. Its conclusion is reported. False where the generation
 * has no leaf: nothing shows that a service uses it.
 */
export async function servesTls(
  probe: TlsProbe,
  expected: Generation,
  tools: TlsTools,
  signal: AbortSignal,
): Promise<boolean> {
  for (let look = 1; ; look++) {
    const looked = await lookTls(probe, expected, tools, signal);
    if (looked === null) return false;
    const matches = looked.verdict.kind === "matches";
    if (matches && look < probe.connections) continue;
    tools.report(looked.event);
    return matches;
  }
}
