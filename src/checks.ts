/** The checks of the configuration, made of what they need: how a bundle is proven good on this node. */
import type { Config } from "./config/schema.ts";
import type { Bundle } from "./core/bundle.ts";
import type { Report } from "./core/events.ts";
import type { Prove } from "./core/handshake.ts";
import type { BundleName } from "./core/names.ts";
import { type CheckPolicy, policyOf } from "./core/policy.ts";
import { readCertificate } from "./preflight/certificate.ts";
import { rememberCertificates } from "./preflight/certificate-cache.ts";
import { createExamine } from "./preflight/examine.ts";
import { createRead } from "./preflight/read.ts";
import { createTrustGuard, type GuardTrust } from "./preflight/trust-guard.ts";
import { unlock } from "./preflight/unlock.ts";
import type { Examine, Read } from "./reload/ports.ts";
import type { Clock } from "./runtime/clock.ts";
import type { FileStore } from "./store/file-store.ts";

/** What the checks are made with. */
export interface CheckTools {
  /** What is live on this node, for the trust guard; null where nothing is, as on the machine of whoever puts. */
  readonly store: Pick<FileStore, "names" | "current" | "read" | "makeReady"> | null;
  readonly prove: Prove;
  readonly clock: Clock;
  readonly report: Report;
}

/** Makes the examiner that the daemon and the commands share. */
export function createChecks(checks: Config["checks"], { store, prove, clock, report }: CheckTools): Examine {
  const read = rememberCertificates(readCertificate);
  const guardTrust =
    store === null || checks.trustGuard === "off" ? null : guardOf(store, { prove, clock, read });
  const policyFor = policiesOf(checks);
  const onWait = store === null ? undefined : (bundle: Bundle) => store.makeReady(bundle);
  return createExamine({ policyFor, unlock, prove, clock, report, guardTrust, onWait, read });
}

/** Makes a reader of bundles that were proven good before. */
export function createReader(checks: Config["checks"], clock: Clock): Read {
  return createRead({ policyFor: policiesOf(checks), unlock, clock });
}

/** By what each bundle is checked. */
export function policiesOf(checks: Config["checks"]): (name: BundleName) => CheckPolicy {
  const policy = policyOfSettings(checks);
  const rules = checks.rules.map(({ minRemaining, maxValidity, ...rule }) => {
    return { ...rule, minRemainingMs: minRemaining, maxValidityMs: maxValidity };
  });
  return (name) => policyOf(name, policy, rules);
}

function policyOfSettings(checks: Config["checks"]): CheckPolicy {
  const { profile, minRemaining, maxValidity, allowCriticalOids, requireEku } = checks;
  return {
    profile,
    minRemainingMs: minRemaining,
    maxValidityMs: maxValidity ?? null,
    allowCriticalOids,
    requireNames: [],
    requireEku,
    passphraseFile: null,
  };
}

function guardOf(
  store: NonNullable<CheckTools["store"]>,
  tools: Pick<Parameters<typeof createTrustGuard>[0], "prove" | "clock" | "read">,
): GuardTrust {
  return createTrustGuard({
    ...tools,
    current: async (name) => {
      const pem = await store.read(name);
      // A bundle with a leaf that becomes a trust bundle trusted for itself: there is nothing to compare with.
      if (pem === undefined || pem.identity !== null) return null;
      const { anchors, crls } = pem.trust;
      return { ca: anchors, crl: crls.length === 0 ? null : crls.join("") };
    },
    live: async () => {
      const live = store.names().filter((name) => store.current(name)?.state === "live");
      const read = await Promise.all(live.map(async (name) => ({ name, pem: await store.read(name) })));
      return read.flatMap(({ name, pem }) => (pem?.identity ? [{ name, identity: pem.identity }] : []));
    },
  });
}
