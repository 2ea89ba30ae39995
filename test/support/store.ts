/** A real store in a temporary folder. */
import { join } from "node:path";
import type { TestContext } from "node:test";
import { systemClock } from "../../src/runtime/clock.ts";
import { FileStore, type StoreOptions } from "../../src/store/file-store.ts";
import { useFolder } from "./folder.ts";

/** Options of a store in `folder`, as the defaults have them. */
export function storeOptions(folder: string, options: Partial<StoreOptions> = {}): StoreOptions {
  const owner = { uid: undefined, gid: undefined };
  return { dir: join(folder, "output"), keep: 5, mode: 0o600, owner, clock: systemClock, ...options };
}

/** Opens a store that is closed when the test is over. */
export async function useStore(
  t: TestContext,
  options: Partial<StoreOptions> = {},
): Promise<{ store: FileStore; options: StoreOptions; reopen: () => Promise<FileStore> }> {
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
