/** Values of etcd read to a bundle, without a check of what it says. */
import type { Bundle, Identity } from "../../src/core/bundle.ts";
import type { Contents } from "../../src/core/material.ts";
import { writePem } from "../../src/core/pem.ts";
import { readCertificate } from "../../src/preflight/certificate.ts";
import { draftBundle } from "../../src/preflight/draft.ts";
import type { Examined } from "../../src/preflight/examine.ts";
import { readPrivateKey } from "../../src/preflight/private-key.ts";
import { contentsOf } from "./material.ts";

/** Reads contents whose private key is not encrypted. */
export function readContents(contents: Contents): Examined {
  const blocks = contents.blocks.filter(({ role }) => role === "private-key");
  const distinct = new Map(blocks.map((block) => [Buffer.from(block.der).toString("latin1"), block]));
  const results = [...distinct.values()].map((block) => readPrivateKey(block));
  const keys = results.filter((result) => "pem" in result);
  const problems = results.filter((result) => "code" in result);
  const unlocked = { blocks: contents.blocks, keys, problems };
  const draft = draftBundle(contents, unlocked, { read: readCertificate, now: new Date() });
  return draft.bundle === null ? { ok: false, problems: draft.problems } : { ok: true, bundle: draft.bundle };
}

/** Reads values as `materialOf` takes them. */
export function readBundleOf(values: Readonly<Record<string, string>>): Examined {
  return readContents(contentsOf(values));
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
