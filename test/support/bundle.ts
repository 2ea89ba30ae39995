/** Bundles as the store and the reload take them, without etcd. */
import type { Bundle } from "../../src/core/bundle.ts";
import { gatherMaterial, readMaterial } from "../../src/core/material.ts";
import { bundleName } from "../../src/core/names.ts";
import { readContents } from "./read-bundle.ts";

/** Reads a bundle from PEM texts by key below `/certs/`; the test fails where it is not good. */
export function bundleOf(name: string, values: Readonly<Record<string, string>>, revision = 1): Bundle {
  const entries = new Map(
    Object.entries(values).map(([last, text]) => {
      const key = `/certs/${last}`;
      const value = Buffer.from(text);
      return [key, { key, value, bytes: value.length, modRevision: revision }];
    }),
  );
  const valid = bundleName(name);
  if (valid === undefined) throw new Error(`${name} is no bundle name`);
  const read = readMaterial(gatherMaterial("/certs/", valid, entries));
  if (!read.ok) throw new Error(JSON.stringify(read.problems));
  const examined = readContents(read.contents);
  if (!examined.ok) throw new Error(JSON.stringify(examined.problems));
  return examined.bundle;
}
