/** Several bundles that are used as one: whichever of them turns, what is made of all of them is made anew. */
import { createHash } from "node:crypto";
import type { BundleSource } from "./bundle-source.ts";
import type { BundleVersion } from "./bundle-version.ts";

/** What is current of a bundle, or about to be. */
export type Current = (of: BundleSource) => BundleVersion;

/**
 * Uses them, as {@link BundleSource.use} does with one.
 *
 * @param prepare Makes ready what it needs, and gives what puts it in place, which must not throw.
 * @returns Ends that.
 * @throws what `prepare` throws of what is current.
 */
export function useTogether(
  sources: readonly BundleSource[],
  prepare: (current: Current) => () => void,
): () => void {
  const ends = [...new Set(sources)].map((changed) =>
    changed.use({ prepare: (version) => prepare((of) => (of === changed ? version : of.current)) }),
  );
  return () => {
    for (const end of ends) end();
  };
}

/** Tells contexts apart by the generations they are made of; 32 characters, as many as OpenSSL takes of a session's id. */
export function contextIdOf(versions: readonly BundleVersion[]): string {
  const all = versions.map(({ bundle, generation }) => `${bundle}/${generation}`).join();
  return createHash("sha256").update(all).digest("base64url").slice(0, 32);
}
