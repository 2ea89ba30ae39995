/** What etcd holds of a bundle before it is put, as far as that bears on what is put. */
import type { Config } from "../config/schema.ts";
import type { Digest } from "../core/digest.ts";
import { type Contents, gatherMaterial, isAbsent, type Material, readMaterial } from "../core/material.ts";
import type { BundleName } from "../core/names.ts";
import type { Entry } from "../core/snapshot.ts";
import { systemClock } from "../runtime/clock.ts";
import { takeApart } from "./inspect-bundle.ts";

/** Whether there is some of a thing; `unknown` where what is there cannot be read. */
type Presence = "yes" | "no" | "unknown";

/** What is there. */
export interface Held {
  readonly material: Material;
  /** Null where there is nothing, or nothing that can be read. */
  readonly digest: Digest | null;
  readonly leaf: Presence;
  readonly anchors: Presence;
  readonly crls: Presence;
}

/** Looks at what is there. */
export async function lookAtHeld(
  prefix: string,
  name: BundleName,
  entries: ReadonlyMap<string, Entry>,
  checks: Config["checks"],
  signal: AbortSignal,
): Promise<Held> {
  const material = gatherMaterial(prefix, name, entries);
  if (isAbsent(material)) return { material, digest: null, leaf: "no", anchors: "no", crls: "no" };
  const read = readMaterial(material);
  if (read.ok) {
    const { contents } = read;
    return { material, digest: contents.digest, ...(await presencesIn(contents, checks, signal)) };
  }
  const has = (part: string): Presence =>
    material.parts.some((one) => one.part === part) ? "yes" : "unknown";
  return { material, digest: null, leaf: has("tls.key"), anchors: has("ca.crt"), crls: has("ca.crl") };
}

async function presencesIn(
  contents: Contents,
  checks: Config["checks"],
  signal: AbortSignal,
): Promise<Pick<Held, "leaf" | "anchors" | "crls">> {
  const { blocks, keys, problems } = (await takeApart(contents, checks, systemClock.now(), signal)).unlocked;
  const isOpened = contents.blocks.every(({ role }) => role !== "pkcs12") || problems.length === 0;
  const has = (...roles: readonly string[]): Presence => {
    if (blocks.some(({ role }) => roles.includes(role))) return "yes";
    return isOpened ? "no" : "unknown";
  };
  const hasKey = keys.length > 0 || contents.blocks.some(({ role }) => role === "private-key");
  return { leaf: hasKey ? "yes" : has("certificate"), anchors: has("trust-anchor"), crls: has("crl") };
}
