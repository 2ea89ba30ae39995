/** No file that ever holds a private key is open to anybody else, not for an instant, whatever umask the daemon has. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { chmodSync, mkdirSync, readFileSync, truncateSync } from "node:fs";
import { basename, join } from "node:path";
import { describe, it, type TestContext } from "node:test";
import { useDaemon } from "../../support/daemon.ts";
import { useEtcd } from "../../support/etcd.ts";
import { useFolder } from "../../support/folder.ts";
import { type KeyFile, keyFilesIn, TRACED_CALLS } from "../../support/key-files.ts";
import { becomeNobody, IS_ROOT, NOBODY } from "../../support/nobody.ts";
import { createBundleMaker } from "../../support/pki.ts";
import { findTool } from "../../support/tools.ts";
import { until } from "../../support/wait.ts";
import { useWitness } from "../../support/witness.ts";

/** The words that run a program under strace, and what it wrote once the program has ended. */
interface Tracing {
  readonly through: readonly string[];
  trace(): Promise<string>;
}

/** Undefined, and the test is skipped, where there is no strace. */
function useTracing(t: TestContext, folder: string): Tracing | undefined {
  const strace = findTool("strace");
  if (strace === undefined) {
    t.skip("strace is not installed");
    return undefined;
  }
  const file = join(folder, "trace");
  // -D: the program is the process that was started, not a child of it.
  const options = ["-D", "-f", "-y", "-s", "48", "-o", file, "-e", `trace=${TRACED_CALLS}`];
  return {
    through: [strace, ...options],
    trace: () =>
      until("strace has written everything", () => {
        const text = readFileSync(file, "utf8");
        const [pid] = text.split(" ", 1);
        return new RegExp(`^${pid} +\\+\\+\\+ exited with`, "m").test(text) ? text : undefined;
      }),
  };
}

/** Files with more bits than they may have at any time. */
function exposedOf(files: readonly KeyFile[], allowed: number): readonly KeyFile[] {
  return files.filter(({ modes }) => modes.some((mode) => (mode & ~allowed) !== 0));
}

function namesOf(files: readonly KeyFile[]): readonly string[] {
  return [...new Set(files.map(({ path }) => basename(path)))].sort();
}

/** Rotates twice and repairs once; gives every file that ever held a key. */
async function runDaemon(
  t: TestContext,
  { umask, user, group }: { umask: string; user: string; group: boolean },
): Promise<readonly KeyFile[] | undefined> {
  const folder = await useFolder(t);
  const tracing = useTracing(t, folder);
  if (tracing === undefined) return undefined;
  const own = join(folder, "service");
  mkdirSync(own);
  const asNobody = IS_ROOT && user === "nobody";
  const gid = String(asNobody || IS_ROOT ? NOBODY : process.getgid?.());
  const [etcd, pki, service] = await Promise.all([useEtcd(t), createBundleMaker(), useWitness(t)]);
  const access = group ? { mode: "0640", group: gid } : {};
  const files = (["key", "combined"] as const).map((content) => ({
    path: join(own, `server.${content}`),
    content,
    ...access,
  }));
  const settings = {
    etcd: { endpoints: [etcd.endpoint] },
    services: [{ ...service.settings, bundles: ["inference"], files }],
    output: { auditEvery: "200ms", ...access },
  };
  const become = asNobody ? becomeNobody(folder, own) : [];
  const withUmask = ["sh", "-c", 'umask "$0" && exec "$@"', umask];
  const through = [...withUmask, ...become, ...tracing.through];
  const daemon = await useDaemon(t, folder, settings, {}, through);
  for (let turn = 0; turn < 2; turn++) {
    const { whole, leaf } = await pki.make();
    await etcd.put("/certs/inference.pem", whole);
    await until("it is live", async () => {
      const { live, generation } = (await daemon.bundle("inference")) ?? {};
      return live && generation?.leaf?.fingerprint256 === leaf.fingerprint256;
    });
  }
  for (const path of [join(daemon.outputDir, "inference", "tls.key"), join(own, "server.key")]) {
    chmodSync(path, 0o600);
    truncateSync(path, 7);
    await until("it is repaired", () => readFileSync(path, "utf8").includes("PRIVATE KEY"));
  }
  await daemon.stop();
  return keyFilesIn(await tracing.trace());
}

const USERS = IS_ROOT ? ["root", "nobody"] : ["nobody"];
const RUNS = USERS.flatMap((user) =>
  ["000", "077"].flatMap((umask) => [false, true].map((group) => ({ user, umask, group }))),
);

describe("a file that holds a private key", () => {
  for (const run of RUNS) {
    const { user, umask, group } = run;
    it(`is never open to ${group ? "more than its group" : "anybody else"}: ${user}, umask ${umask}`, async (t) => {
      const files = await runDaemon(t, run);
      if (files === undefined) return;

      assert.deepEqual(namesOf(files), ["server.combined", "server.key", "tls.key", "tls.pem"]);
      assert.ok(files.length >= 2 * 4 + 2, `${files.length} files held a key`);
      assert.deepEqual(exposedOf(files, group ? 0o640 : 0o600), []);
    });
  }
});

describe("the reader of traces", () => {
  it("sees a key that is exposed: when it is made, for a moment, later, and under another name", async (t) => {
    const folder = await useFolder(t);
    const tracing = useTracing(t, folder);
    if (tracing === undefined) return;
    const program = `
      const fs = require("node:fs");
      const key = "-----BEGIN PRIVATE KEY-----\\nMIIE\\n-----END PRIVATE KEY-----\\n";
      fs.writeFileSync("open", key, { mode: 0o644 });
      fs.writeFileSync("moment", "", { mode: 0o666 });
      fs.chmodSync("moment", 0o600);
      fs.writeFileSync("moment", key);
      fs.mkdirSync("staged");
      fs.writeFileSync("staged/later", key, { mode: 0o600 });
      fs.renameSync("staged", "ready");
      fs.chmodSync("ready/later", 0o640);
      fs.writeFileSync("linked", key, { mode: 0o600 });
      fs.linkSync("linked", "other");
      fs.chmodSync("other", 0o604);
      fs.promises.writeFile("shut", key, { mode: 0o600 });
      fs.writeFileSync("no-key", "-----BEGIN CERTIFICATE-----", { mode: 0o644 });
    `.replaceAll(/"(?=(open|moment|staged|ready|linked|other|shut|no-key)[/"])/g, `"${folder}/`);
    const [strace = "", ...options] = tracing.through;
    execFileSync(strace, [...options, process.execPath, "-e", program]);

    const files = keyFilesIn(await tracing.trace());

    assert.deepEqual(namesOf(files), ["later", "moment", "open", "other", "shut"]);
    assert.deepEqual(namesOf(exposedOf(files, 0o600)), ["later", "moment", "open", "other"]);
  });

  it("puts calls together that another thread's came in the middle of, however strace aligns them", () => {
    const trace = [
      '7  openat(AT_FDCWD</w>, "/k", O_WRONLY|O_CREAT|O_EXCL, 0600 <unfinished ...>',
      '8  mkdir("/d", 0700)                 = 0',
      "7  <... openat resumed>)              = 5</k>",
      '7  write(5</k>, "-----BEGIN PRIVATE KEY-----\\nMIG"..., 241 <unfinished ...>',
      "8  fchmod(9</d>, 0755)                = 0",
      "7  <... write resumed>)               = 241",
      '7  rename("/k", "/d/k")               = 0',
      "7  fchmod(5</d/k>, 0644)              = 0",
    ];

    assert.deepEqual(keyFilesIn(trace.join("\n")), [{ path: "/d/k", modes: [0o600, 0o644] }]);
  });
});
