/** Values of etcd read to a bundle. */
import type { Bundle, Identity } from "../../src/core/bundle.ts";
import { writePem } from "../../src/core/pem.ts";
import { type ReadResult, readBundle } from "../../src/preflight/read-bundle.ts";
import { contentsOf } from "./material.ts";

/** Reads values as `materialOf` takes them. */
export function readBundleOf(values: Readonly<Record<string, string>>): ReadResult {
  return readBundle(contentsOf(values));
}

/** The bundle, where there has to be one. */
export function bundleOf(values: Readonly<Record<string, string>>): Bundle {
  const read = readBundleOf(values);
  if (!read.ok) throw new Error(read.problems.map(({ message }) => message).join("; "));
  return read.bundle;
}

/** The bundle's identity, where there has to be one. */
export function identityOf(values: Readonly<Record<string, string>>): Identity {
  const { identity } = bundleOf(values);
  if (identity === null) throw new Error("this is a trust bundle");
  return identity;
}

/** Certificates as one text. */
export function pemOf(ders: readonly Uint8Array[]): string {
  return ders.map((der) => writePem("CERTIFICATE", der)).join("");
}
