import assert from "node:assert/strict";
import { relative } from "node:path";
import { describe, it } from "node:test";
import { useEtcd } from "../../support/etcd.ts";
import { recordChanges } from "./changes.ts";
import { makeContents, OPERATIONS } from "./operations.ts";
import { traceOperation } from "./power-loss.ts";

/** What each of Node's calls asks the kernel for. */
const KINDS: Readonly<Record<string, string>> = {
  openSync: "create",
  writeFileSync: "write",
  fchmodSync: "chmod",
  mkdirSync: "mkdir",
  symlinkSync: "symlink",
  renameSync: "rename",
  unlinkSync: "unlink",
  rmdirSync: "rmdir",
};

describe("the changes that the daemon is killed before", () => {
  it("are all that the kernel is asked for, as strace sees it", async (t) => {
    const bench = { etcd: await useEtcd(t), contents: await makeContents() };
    for (const operation of OPERATIONS) {
      const changes = await recordChanges(t, bench, operation);
      const { folder, calls } = await traceOperation(t, bench, operation);

      const seen = calls.filter(({ what }) => what !== "sync");
      const wanted = seen.map(({ what, path }) => `${what} ${relative(folder, path)}`);
      const known = changes.map(({ call, path }) => `${KINDS[call]} ${path}`);

      // A file's halves are one write to the kernel; which of several files is removed first is up to the folder.
      assert.deepEqual([...new Set(known)].sort(), [...new Set(wanted)].sort(), operation.title);
    }
  });
});
