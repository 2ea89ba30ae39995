/** Watches a bundle's folder, also before it is there and after it was removed and made again. */
import { type FSWatcher, statSync, watch } from "node:fs";

/** A watch that goes on until it is closed. */
export interface FolderWatch {
  /** Watches anew where the folder is another one by now: to be called now and then, for nothing tells of that. */
  renew(): void;
  close(): void;
}

/**
 * Calls `onChange` when `current` in the folder may lead elsewhere. The watch may miss things, and keeps no process alive.
 */
export function watchFolder(dir: string, onChange: () => void): FolderWatch {
  let watcher: FSWatcher | undefined;
  let watched: bigint | undefined;
  const stop = () => {
    watcher?.close();
    watcher = undefined;
    watched = undefined;
  };
  const renew = () => {
    const inode = statSync(dir, { bigint: true, throwIfNoEntry: false })?.ino;
    if (inode !== undefined && inode === watched) return;
    stop();
    if (inode === undefined) return;
    try {
      watcher = watch(dir, { persistent: false }, (_, name) => {
        if (name === null || name === "current") onChange();
      });
      // Removed, or out of watches: the next renewal makes a new one, and until then the regular look has to do.
      watcher.on("error", stop);
      watched = inode;
    } catch {
      stop();
    }
  };
  renew();
  return { renew, close: stop };
}
