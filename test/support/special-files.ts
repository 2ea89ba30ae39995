/** What has the name of a file and is none: whoever opens it carelessly waits for ever, or gets what never ends. */
import { execFileSync } from "node:child_process";
import { createServer } from "node:net";
import type { TestContext } from "node:test";

/** Ways to make one at a path. Only root may make a device: for others it is a second FIFO. */
export const SPECIAL_FILES: Readonly<Record<string, (t: TestContext, path: string) => Promise<void>>> = {
  "a FIFO": async (_, path) => {
    makeNode(path, "p");
  },
  "a socket": async (t, path) => {
    const server = createServer();
    t.after(() => server.close());
    await new Promise<void>((resolve) => server.listen(path, resolve));
  },
  "a device": async (_, path) => {
    // /dev/zero: it never ends.
    if (process.getuid?.() === 0) makeNode(path, "c", "1", "5");
    else makeNode(path, "p");
  },
};

function makeNode(path: string, ...kind: readonly string[]): void {
  execFileSync("mknod", [path, ...kind]);
}
