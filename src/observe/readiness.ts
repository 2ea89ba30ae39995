/** Whether a bundle is as wanted: what `/readyz` asks of each, and what the page and `keyturn status` go by. Pure. */
import type { BundleStatus } from "./status.ts";

/** Nobody wants what was deleted: a fleet that kept it must not stop being ready in one moment, months later. */
export function hasExpired({ state, generation }: BundleStatus, now: Date): boolean {
  const notAfter = state === "deleted" ? undefined : generation?.leaf?.notAfter;
  return notAfter !== undefined && now.getTime() > Date.parse(notAfter);
}

/** Why it is not, in words; null where it is. */
export function whyNotReady(bundle: BundleStatus, now: Date): string | null {
  const { name, live, state } = bundle;
  if (!live) return `bundle ${name} is not live (${state})`;
  return hasExpired(bundle, now) ? `bundle ${name} has expired` : null;
}
