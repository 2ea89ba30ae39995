/** The operations that are broken off: what is on the node before, what etcd holds, and what has to come of it. */
import { chmod, rm, symlink, truncate } from "node:fs/promises";
import { join } from "node:path";
import type { Generation } from "../../../src/core/generation.ts";
import type { BundleStatus } from "../../../src/observe/status.ts";
import { FileStore } from "../../../src/store/file-store.ts";
import { bundleOf } from "../../support/bundle.ts";
import { type BundlePems, createBundleMaker } from "../../support/pki.ts";
import { makeCurrent, makeLive, storeOptions } from "../../support/store.ts";

/** The bundle of all operations. */
export const NAME = "mesh";

/** Content that operations turn over, each with a leaf of its own; `second` comes without what it trusts. */
export interface Contents {
  readonly first: BundlePems;
  readonly second: BundlePems;
  readonly third: BundlePems;
}
type Which = keyof Contents;

/** An operation of the daemon. */
export interface Operation {
  readonly title: string;
  /** Fills the node, as earlier runs of the daemon left it. */
  readonly prepare: (node: PreparedNode) => Promise<void>;
  /** What etcd holds when the daemon starts. */
  readonly inEtcd: Which;
  /** What the service takes by no means. */
  readonly refused?: Which;
  /** What sets the operation off, where the start of the daemon does not. */
  readonly setOff?: "loseGeneration" | "deleteKey";
  /** What was live before, null for nothing; and what is live when everything is done. */
  readonly before: Which | null;
  readonly after: Which;
  /** The state that `/status` gives of it then. */
  readonly ends: readonly BundleStatus["state"][];
  /** What may be left where the operation had not begun. */
  readonly orElse?: "nothing";
  /** Whether the node is damaged to begin with, so that readers may find it so. */
  readonly isDamaged?: boolean;
  /** The reason of the hook by which the service hears of it, where it is also broken off there. */
  readonly told?: "rotated" | "rolledBack";
  /** Steps that write a manifest, in turn; step 9 where nothing is said. */
  readonly manifests?: readonly string[];
  /** Only changes of these steps are broken off: others are those of another operation. */
  readonly steps?: RegExp;
}

/** A node's folder that is being filled. */
interface PreparedNode {
  readonly dir: string;
  readonly live: (which: Which) => Promise<Generation>;
  readonly current: (which: Which) => Promise<Generation>;
  readonly store: FileStore;
}

export async function makeContents(): Promise<Contents> {
  const pki = await createBundleMaker();
  const [first, second, third] = await Promise.all([pki.make(), pki.make(), pki.make()]);
  return { first, second: { ...second, whole: second.chain + second.key }, third };
}

/** Fills the output folder of `folder`. */
export async function prepareNode(operation: Operation, folder: string, contents: Contents): Promise<void> {
  const options = storeOptions(folder, { keep: 1 });
  const store = await FileStore.open(options);
  const bundle = (which: Which) => bundleOf(NAME, { [NAME]: contents[which].whole });
  try {
    await operation.prepare({
      dir: join(options.dir, NAME),
      store,
      live: (which) => makeLive(store, bundle(which)),
      current: (which) => makeCurrent(store, bundle(which)),
    });
  } finally {
    await store.close();
  }
}

const WHY = { cause: "service", why: "the service refused it" } as const;

export const OPERATIONS: readonly Operation[] = [
  {
    title: "the first content",
    prepare: async ({ dir }) => rm(join(dir, ".."), { recursive: true }),
    inEtcd: "first",
    before: null,
    after: "first",
    ends: ["live"],
    steps: /^[16]|lock/,
  },
  {
    title: "a rotation that brings a trust bundle and drops the oldest generation",
    prepare: async ({ live }) => {
      await live("first");
      await live("second");
    },
    inEtcd: "third",
    before: "second",
    after: "third",
    ends: ["live"],
    told: "rotated",
  },
  {
    title: "a rotation that takes the trust bundle away",
    prepare: async ({ live }) => {
      await live("first");
    },
    inEtcd: "second",
    before: "first",
    after: "second",
    ends: ["live"],
    steps: /^8|plain/,
  },
  {
    title: "a way back from what the service refuses",
    prepare: async ({ live }) => {
      await live("first");
    },
    inEtcd: "third",
    refused: "third",
    before: "first",
    after: "first",
    ends: ["rolledBack", "quarantined"],
    told: "rotated",
    manifests: ["12 decide", "13 finish"],
    steps: /^(7|12|13)/,
  },
  {
    title: "a start that finishes a way back",
    prepare: async ({ dir, store, live, current }) => {
      const first = await live("first");
      const third = await current("third");
      await store.rollBack(first.name, first.id, WHY);
      await rm(join(dir, "current"));
      await symlink(`.generations/${third.id}`, join(dir, "current"));
      await rm(join(dir, "ca.crt"));
    },
    inEtcd: "third",
    refused: "third",
    before: "third",
    after: "first",
    ends: ["rolledBack", "quarantined"],
    told: "rolledBack",
    manifests: ["13 finish"],
    steps: /^(6|7|13)/,
  },
  {
    title: "a repair in place",
    prepare: async ({ dir, live }) => {
      // Of the same authority: its ca.crt is what the other one is put right from.
      await live("third");
      const { id } = await live("first");
      await truncate(join(dir, ".generations", id, "tls.key"), 5);
      await rm(join(dir, ".generations", id, "ca.crt"));
      await chmod(join(dir, ".generations", id, "tls.pem"), 0o640);
      await rm(join(dir, "tls.crt"));
    },
    inEtcd: "first",
    before: "first",
    after: "first",
    ends: ["live"],
    isDamaged: true,
  },
  {
    title: "a repair by a new generation",
    prepare: async ({ live }) => {
      await live("first");
    },
    inEtcd: "first",
    setOff: "loseGeneration",
    before: "first",
    after: "first",
    ends: ["live"],
    isDamaged: true,
    steps: /^[47]/,
  },
  {
    title: "a removal",
    prepare: async ({ live }) => {
      await live("first");
    },
    inEtcd: "first",
    setOff: "deleteKey",
    before: "first",
    after: "first",
    ends: ["deleted"],
    orElse: "nothing",
  },
];
