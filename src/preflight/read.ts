/** Reads a bundle that was proven good before: no check says whether it still is. */
import type { Bundle } from "../core/bundle.ts";
import type { Contents } from "../core/material.ts";
import type { BundleName } from "../core/names.ts";
import type { CheckPolicy } from "../core/policy.ts";
import type { Clock } from "../runtime/clock.ts";
import { readCertificate } from "./certificate.ts";
import { draftBundle } from "./draft.ts";
import type { Unlock } from "./unlock.ts";

/** What bundles are read by. */
export interface ReadOptions {
  readonly policyFor: (name: BundleName) => CheckPolicy;
  readonly unlock: Unlock;
  readonly clock: Pick<Clock, "now">;
}

/** Makes a reader. What it makes gives null where something cannot be read any more, such as a passphrase. */
export function createRead({
  policyFor,
  unlock,
  clock,
}: ReadOptions): (contents: Contents, signal: AbortSignal) => Promise<Bundle | null> {
  return async (contents, signal) => {
    const unlocked = await unlock(contents, policyFor(contents.name), signal);
    return draftBundle(contents, unlocked, { read: readCertificate, now: clock.now() }).bundle;
  };
}
