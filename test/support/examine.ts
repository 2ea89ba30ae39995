/** Bundles examined as the daemon does it: with real handshakes in a process of their own. */
import { after } from "node:test";
import type { DaemonEvent } from "../../src/core/events.ts";
import type { Prove } from "../../src/core/handshake.ts";
import type { CheckPolicy } from "../../src/core/policy.ts";
import { startHandshakes } from "../../src/handshake/supervisor.ts";
import { createExamine, type Examined } from "../../src/preflight/examine.ts";
import type { GuardTrust } from "../../src/preflight/trust-guard.ts";
import { unlock } from "../../src/preflight/unlock.ts";
import { systemClock } from "../../src/runtime/clock.ts";
import { contentsOf } from "./material.ts";
import type { Minted } from "./mint.ts";

/** What etcd holds of a bundle, as `materialOf` takes it. */
export type Values = Readonly<Record<string, string | Uint8Array>>;

/** The defaults of the configuration. */
export const DEFAULT_POLICY: CheckPolicy = {
  profile: "default",
  minRemainingMs: 3_600_000,
  maxValidityMs: null,
  allowCriticalOids: [],
  requireNames: [],
  requireEku: [],
  passphraseFile: null,
};

/** What a test may change. */
export interface Settings {
  readonly policy?: Partial<CheckPolicy>;
  readonly guardTrust?: GuardTrust;
  readonly report?: (event: DaemonEvent) => void;
}

/** Handshakes in a child process, for all tests of a file. Nothing here waits for a deadline. */
export function useProve(): Prove {
  const deadlineMs = 120_000;
  const handshakes = startHandshakes({ clock: systemClock, report: () => undefined, deadlineMs });
  after(() => handshakes.close());
  return handshakes.prove;
}

/** Examines values. */
export function examineValues(prove: Prove, values: Values, settings: Settings = {}): Promise<Examined> {
  const { policy, guardTrust = null, report = () => undefined } = settings;
  const examine = createExamine({
    policyFor: () => ({ ...DEFAULT_POLICY, ...policy }),
    unlock,
    prove,
    clock: systemClock,
    report,
    guardTrust,
  });
  return examine(contentsOf(values), new AbortController().signal);
}

/** A bundle in one value: the leaf with its key, then whatever else there is. */
export function whole(leaf: Minted, ...others: readonly (Minted | string)[]): Values {
  return { "": leaf.pem + leaf.keyPem + textOf(others) };
}

/** A bundle in parts: what is sent, and what is trusted. */
export function inParts(
  [leaf, ...chain]: readonly [Minted, ...(Minted | string)[]],
  anchors: readonly Minted[],
): Values {
  return {
    "/tls.crt": leaf.pem + textOf(chain),
    "/tls.key": leaf.keyPem,
    ...(anchors.length === 0 ? {} : { "/ca.crt": textOf(anchors) }),
  };
}

/** Certificates and other PEM, one after another. */
export function textOf(parts: readonly (Minted | string)[]): string {
  return parts.map((part) => (typeof part === "string" ? part : part.pem)).join("");
}
