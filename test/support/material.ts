/** What etcd would hold of a bundle, without an etcd. */
import type { Digest } from "../../src/core/digest.ts";
import {
  type Contents,
  type ContentsResult,
  gatherMaterial,
  type Material,
  readMaterial,
} from "../../src/core/material.ts";
import { type BundleName, bundleName } from "../../src/core/names.ts";
import type { ProblemCode } from "../../src/core/problem.ts";
import { type Entry, MAX_VALUE_BYTES } from "../../src/core/snapshot.ts";

/** A name that has to be one. */
export function nameOf(text: string): BundleName {
  const name = bundleName(text);
  if (name === undefined) throw new Error(`${text} is not a bundle name`);
  return name;
}

/** One key with its value, as the source hands it on: a value over the limit is dropped. */
export function entryOf(key: string, value: string | Uint8Array, modRevision = 1): Entry {
  const bytes = Buffer.from(value);
  return { key, bytes: bytes.length, value: bytes.length > MAX_VALUE_BYTES ? null : bytes, modRevision };
}

/** The bundle `demo`; values by what follows `/certs/demo`: `""`, `.pem`, `/tls.crt`, … */
export function materialOf(values: Readonly<Record<string, string | Uint8Array>>): Material {
  const entries = Object.entries(values).map(([suffix, value]) => entryOf(`/certs/demo${suffix}`, value));
  return gatherMaterial("/certs/", nameOf("demo"), new Map(entries.map((entry) => [entry.key, entry])));
}

/** Reads values as {@link materialOf} takes them. */
export function readValues(values: Readonly<Record<string, string | Uint8Array>>): ContentsResult {
  return readMaterial(materialOf(values));
}

/** The contents, where there have to be some. */
export function contentsOf(values: Readonly<Record<string, string | Uint8Array>>): Contents {
  const read = readValues(values);
  if (!read.ok) throw new Error(read.problems.map(({ message }) => message).join("; "));
  return read.contents;
}

/** The digest, where there has to be one. */
export function digestOfValues(values: Readonly<Record<string, string | Uint8Array>>): Digest {
  return contentsOf(values).digest;
}

/** Codes of what is wrong; empty where nothing is. */
export function codesOf(result: {
  readonly ok: boolean;
  readonly problems?: readonly { readonly code: ProblemCode }[];
}): ProblemCode[] {
  return (result.problems ?? []).map(({ code }) => code);
}
