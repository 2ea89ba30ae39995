/** A real store in a temporary folder, and bundles to fill it with. */
import { lstat, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { TestContext } from "node:test";
import type { Bundle } from "../../src/core/bundle.ts";
import type { Generation } from "../../src/core/generation.ts";
import { systemClock } from "../../src/runtime/clock.ts";
import { FileStore } from "../../src/store/file-store.ts";
import type { StoreOptions } from "../../src/store/tools.ts";
import { bundleOf } from "./bundle.ts";
import { useFolder } from "./folder.ts";
import { createBundleMaker } from "./pki.ts";

/** Options of a store in `folder`, as the defaults have them. */
export function storeOptions(folder: string, options: Partial<StoreOptions> = {}): StoreOptions {
  const owner = { uid: undefined, gid: undefined };
  return { dir: join(folder, "output"), keep: 5, mode: 0o600, owner, clock: systemClock, ...options };
}

/** A store that a test works with. */
export interface TestStore {
  readonly store: FileStore;
  readonly options: StoreOptions;
  /** Closes it, and opens it as the next process would. */
  reopen(): Promise<FileStore>;
}

/** Opens a store that is closed when the test is over. */
export async function useStore(t: TestContext, options: Partial<StoreOptions> = {}): Promise<TestStore> {
  const all = storeOptions(await useFolder(t), options);
  let open = await FileStore.open(all);
  t.after(() => open.close());
  return {
    store: open,
    options: all,
    reopen: async () => {
      await open.close();
      open = await FileStore.open(all);
      return open;
    },
  };
}

/** Bundles of one name, each of other content, with increasing revisions. */
export async function makeBundles(count: number, name = "mesh"): Promise<Bundle[]> {
  const pki = await createBundleMaker();
  const pems = await Promise.all(Array.from({ length: count }, () => pki.make()));
  return pems.map(({ whole }, i) => bundleOf(name, { [name]: whole }, i + 1));
}

/** Everything that a rotation without trouble does. */
export async function makeLive(store: FileStore, bundle: Bundle): Promise<Generation> {
  const live = await store.recordLive(await makeCurrent(store, bundle));
  await store.prune(bundle.name);
  return live;
}

/** A rotation as far as the flip. */
export async function makeCurrent(store: FileStore, bundle: Bundle): Promise<Generation> {
  return store.activate(await store.stage(bundle));
}

/** Mode bits, in octal. */
export async function modeOf(path: string): Promise<string> {
  return ((await lstat(path)).mode & 0o7777).toString(8);
}

/** Changes what a file holds, and neither its length nor its inode. */
export async function changeOneByte(path: string): Promise<void> {
  const bytes = await readFile(path);
  const middle = Math.floor(bytes.length / 2);
  bytes[middle] = (bytes[middle] ?? 0) ^ 1;
  await writeFile(path, bytes);
}
