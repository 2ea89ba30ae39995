/** What is put into etcd: contents of one bundle, each told apart by the common name of its certificate. */
import { X509Certificate } from "node:crypto";
import { type Minted, mint, mintAuthority } from "../../support/mint.ts";
import type { Dice } from "../dice.ts";

/** How a bundle lies in etcd: in one value, in parts, or as trust anchors alone. */
export type Shape = "whole" | "parts" | "trust";

/** What is to become of it: live, rejected, or, where it was taken from etcd, shown as deleted. */
export type Fate = "good" | "bad" | "gone";

/** One content of one bundle. */
export interface Content {
  readonly fate: Fate;
  /** Such as `chat-17`: the common name of the certificate that no other content has; empty for what is gone. */
  readonly mark: string;
  /** Values by key; a key that is not among them is deleted. */
  readonly values: ReadonlyMap<string, string>;
}

/** Makes the contents of one bundle, one after another. */
export interface ContentMaker {
  readonly name: string;
  readonly shape: Shape;
  /** All the keys that contents of this bundle may have; the first is always there, where any is. */
  readonly keys: readonly [string, ...string[]];
  good(): Content;
  /** Null where every content of this shape is taken: what is wrong with trust anchors depends on other bundles. */
  readonly bad: ((dice: Dice) => Content) | null;
  gone(): Content;
}

/** The authority of everything that is good. */
export interface Authorities {
  readonly root: Minted;
  readonly intermediate: Minted;
}

export function createAuthorities(): Authorities {
  const root = mintAuthority("Fault Root");
  return { root, intermediate: mintAuthority("Fault Intermediate", { issuer: root }) };
}

/** The DNS name that every leaf of a bundle is for. */
export function serverNameOf(bundle: string): string {
  return `${bundle}.test`;
}

/** The mark of a content, as it is in its certificates; undefined where none of them bears one. */
export function markOf(name: string, pem: string): string | undefined {
  return pem
    .split(/(?=-----BEGIN)/)
    .filter((block) => block.startsWith("-----BEGIN CERTIFICATE"))
    .map((block) => new X509Certificate(block).subject.replace(/^CN=/, ""))
    .find((subject) => subject.startsWith(`${name}-`));
}

export function createContentMaker(name: string, shape: Shape, authorities: Authorities): ContentMaker {
  const { root, intermediate } = authorities;
  let turn = 0;
  const nextMark = () => `${name}-${++turn}`;
  const keys = keysOf(name, shape);
  const leafOf = (mark: string, from = -1, until = 30) =>
    mint({ subject: mark, issuer: intermediate, names: [serverNameOf(name)], from, until });
  const withLeaf = (fate: Fate, mark: string, leaf: Minted, keyPem = leaf.keyPem): Content => {
    const chain = leaf.pem + intermediate.pem;
    const parts = [chain, keyPem, root.pem];
    const values = shape === "whole" ? [parts.join("")] : parts;
    return { fate, mark, values: new Map(values.map((value, index) => [keys[index] ?? "", value])) };
  };
  const badContent = (dice: Dice): Content => {
    const mark = nextMark();
    // In parts, a key that does not fit is one that is waited for.
    if (shape === "whole" && dice.chance(0.5))
      return withLeaf("bad", mark, leafOf(mark), leafOf(mark).keyPem);
    return withLeaf("bad", mark, leafOf(mark, -30, -1));
  };
  return {
    name,
    shape,
    keys,
    good: () => {
      const mark = nextMark();
      // The root stays in it: what is live on the node is not cut off.
      if (shape !== "trust") return withLeaf("good", mark, leafOf(mark));
      return { fate: "good", mark, values: new Map([[keys[0], root.pem + mintAuthority(mark).pem]]) };
    },
    bad: shape === "trust" ? null : badContent,
    gone: () => ({ fate: "gone", mark: "", values: new Map() }),
  };
}

function keysOf(name: string, shape: Shape): readonly [string, ...string[]] {
  switch (shape) {
    case "whole":
      return [`/certs/${name}.pem`];
    case "parts":
      return [`/certs/${name}/tls.crt`, `/certs/${name}/tls.key`, `/certs/${name}/ca.crt`];
    case "trust":
      return [`/certs/${name}/ca.crt`];
  }
}
