/** What checks look at, and how they call what they found fault with. */
import type { CheckPolicy } from "../../core/policy.ts";
import type { Placed } from "../chain.ts";
import type { BundleFacts } from "../draft.ts";

/** One bundle, by one policy, at one moment. */
export interface CheckInput extends BundleFacts {
  readonly policy: CheckPolicy;
  readonly now: Date;
}

/** A certificate for people: its subject, and where it stands. */
export function nameOf({ certificate, where }: Placed): string {
  const { subject, serial } = certificate;
  return `${subject === "" ? `the certificate ${serial} without a subject` : subject} (${where})`;
}

/** A moment for people. */
export function dayOf(date: Date): string {
  return date.toISOString().replace(".000Z", "Z");
}
