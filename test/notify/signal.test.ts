import assert from "node:assert/strict";
import { once } from "node:events";
import { chmod, mkdir, readFile, symlink, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { describe, it, type TestContext } from "node:test";
import { notifySignal, type SignalOptions } from "../../src/notify/signal.ts";
import { collectAttempts } from "../support/attempts.ts";
import { useFolder } from "../support/folder.ts";
import { noticeOf } from "../support/notice.ts";
import { useProcess, useSignalled } from "../support/process.ts";
import { until } from "../support/wait.ts";

const [NOBODY_UID, ANOTHER_UID] = [65_534, 54_321];

const EXPECTED = "notify.signal.pidFile has to be the file in which the service keeps its process number";

async function setUp(t: TestContext, content: string | null, options: Partial<SignalOptions> = {}) {
  const pidFile = join(await useFolder(t), "service.pid");
  const write = (text: string | number) => writeFile(pidFile, `${text}`);
  if (content !== null) await write(content);
  const { attempts, options: base } = collectAttempts();
  const tell = (signal = new AbortController().signal) =>
    notifySignal({ ...base, pidFile, signal: "SIGHUP", ...options }, noticeOf(), signal);
  return { pidFile, write, attempts, tell };
}

describe("a signal", () => {
  for (const signal of ["SIGHUP", "SIGUSR1", "SIGWINCH"] as const) {
    it(`such as ${signal} reaches the process that the pid file names`, async (t) => {
      const { pid, got } = await useSignalled(t, [signal]);
      const way = await setUp(t, `${pid}\n`, { signal });
      assert.deepEqual(await way.tell(), { kind: "done" });
      await until("it got the signal", () => got().length > 0);
      assert.deepEqual(got(), [signal]);
      assert.deepEqual(
        way.attempts.map(({ service, attempt, result, message }) => [service, attempt, result, message]),
        [["web", 1, "delivered", `web: ${signal} was sent to process ${pid}`]],
      );
    });
  }

  it("goes to the process of now: the file is read each time", async (t) => {
    const [first, second] = [await useSignalled(t, ["SIGHUP"]), await useSignalled(t, ["SIGHUP"])];
    const way = await setUp(t, String(first.pid));
    await way.tell();
    await way.write(second.pid);
    await way.tell();
    await until("both got it", () => first.got().length > 0 && second.got().length > 0);
    assert.deepEqual([first.got(), second.got()], [["SIGHUP"], ["SIGHUP"]]);
  });

  it("takes the first line of a pid file that has more, as PostgreSQL's has", async (t) => {
    const { pid, got } = await useSignalled(t, ["SIGHUP"]);
    const way = await setUp(t, `${pid}\n/var/lib/postgresql/15/main\n1700000000\n5432\n`);
    assert.deepEqual(await way.tell(), { kind: "done" });
    await until("it got the signal", () => got().length > 0);
  });

  it("is not sent where it was called off before", async (t) => {
    const { pid } = await useSignalled(t, []);
    const reason = new Error("newer content came");
    const way = await setUp(t, String(pid), { signal: "SIGTERM" });
    await assert.rejects(way.tell(AbortSignal.abort(reason)), reason);
    assert.equal(way.attempts.length, 0);
  });
});

describe("a service that is not running", () => {
  for (const [what, content] of [
    ["has no pid file", null],
    ["has an empty pid file", ""],
    ["has a pid file with only a line end", "\n"],
  ] as const) {
    it(`is unreachable where it ${what}`, async (t) => {
      const way = await setUp(t, content);
      assert.equal((await way.tell()).kind, "unreachable");
      assert.equal(way.attempts[0]?.result, "unreachable");
    });
  }

  it("is unreachable where its process has ended", async (t) => {
    const { pid, child } = await useSignalled(t, []);
    const gone = once(child, "exit");
    child.kill("SIGKILL");
    await gone;
    const way = await setUp(t, String(pid));
    assert.deepEqual(await way.tell(), {
      kind: "unreachable",
      message: `web: process ${pid}, which ${way.pidFile} names, has ended: it is not running`,
    });
  });

  it("is unreachable where its process has ended and nobody took note of it", async (t) => {
    // The shell becomes a program that does not wait for its children, and only then does its child end.
    const script = '(until [ "$(cat /proc/$$/comm)" = sleep ]; do :; done) & echo $!; exec sleep 600';
    const parent = await useProcess(t, ["sh", "-c", script]);
    const [line] = (await once(parent.stdout as NodeJS.ReadableStream, "data")) as [Buffer];
    const pid = Number(line);
    await until("it is a zombie", async () => / Z /.test(await readFile(`/proc/${pid}/stat`, "utf8")));
    assert.equal((await (await setUp(t, String(pid))).tell()).kind, "unreachable");
  });
});

describe("a pid file that is wrong", () => {
  for (const content of [
    "nginx",
    "0",
    "1",
    "-1",
    "-42",
    "1e3",
    "12 34",
    "4194305",
    "99999999999999",
    "0x20",
  ]) {
    it(`with ${JSON.stringify(content)} is refused, and nothing is signalled`, async (t) => {
      const way = await setUp(t, content, { signal: "SIGTERM" });
      assert.deepEqual(await way.tell(), {
        kind: "failed",
        message: `web: ${way.pidFile} holds no process number: ${EXPECTED}`,
      });
    });
  }

  it("with keyturn's own number is refused", async (t) => {
    const way = await setUp(t, String(process.pid), { signal: "SIGTERM" });
    assert.deepEqual(await way.tell(), {
      kind: "failed",
      message: `web: ${way.pidFile} names keyturn itself`,
    });
  });

  it("because it is a folder or a pipe is refused, and not waited for", async (t) => {
    const folder = await useFolder(t);
    const [dir, fifo] = [join(folder, "dir"), join(folder, "fifo")];
    await mkdir(dir);
    const made = await useProcess(t, ["mkfifo", fifo]);
    if (made.exitCode === null) await once(made, "exit");
    for (const pidFile of [dir, fifo]) {
      const way = await setUp(t, null, { pidFile });
      assert.deepEqual(await way.tell(), {
        kind: "failed",
        message: `web: ${pidFile} is not a file: ${EXPECTED}`,
      });
    }
  });
});

describe("the name of a process", () => {
  it("may be the one the kernel has", async (t) => {
    const { pid } = await useProcess(t, ["sleep", "600"]);
    const way = await setUp(t, String(pid), { processName: "sleep" });
    assert.deepEqual(await way.tell(), { kind: "done" });
  });

  it("may be longer than the kernel keeps", async (t) => {
    const program = join(await useFolder(t), "inference-server-main");
    await symlink("/bin/sleep", program);
    const { pid } = await useProcess(t, [program, "600"]);
    const way = await setUp(t, String(pid), { processName: "inference-server-main", signal: "SIGWINCH" });
    assert.deepEqual(await way.tell(), { kind: "done" });
    const other = await setUp(t, String(pid), { processName: "inference-proxy" });
    assert.equal((await other.tell()).kind, "failed");
  });

  it("that is another says that the file was left behind, and nothing is signalled", async (t) => {
    const { pid, child } = await useSignalled(t, []);
    const way = await setUp(t, String(pid), { processName: "nginx", signal: "SIGTERM" });
    const answer = await way.tell();
    assert.equal(answer.kind, "failed");
    assert.match(answer.message, /is .*node.*, and not nginx: the file was left behind/);
    assert.deepEqual([child.exitCode, child.signalCode], [null, null]);
  });
});

describe("a service of another user", {
  skip: process.getuid?.() !== 0 && "only root can be two users",
}, () => {
  /** As a user who is neither root nor the service's. */
  async function asNobody<T>(task: () => Promise<T>): Promise<T> {
    process.seteuid?.(NOBODY_UID);
    try {
      return await task();
    } finally {
      process.seteuid?.(0);
    }
  }

  it("cannot be signalled, and it is said as whom to run", async (t) => {
    const { pid } = await useProcess(t, ["sleep", "600"], { uid: ANOTHER_UID });
    const way = await setUp(t, String(pid), { processName: "sleep" });
    await chmod(dirname(way.pidFile), 0o755);
    const answer = await asNobody(() => way.tell());
    assert.equal(answer.kind, "failed");
    assert.ok(
      answer.message.startsWith(`web: process ${pid} of ${way.pidFile} may not be sent SIGHUP (EPERM)`),
      answer.message,
    );
    assert.match(
      answer.message,
      /keyturn runs as .*uid 65534\)?; run it as its user \(uid 54321\) or as root/,
    );
  });

  it("has a pid file that may not be read, and it is said by whom", async (t) => {
    const { pid } = await useProcess(t, ["sleep", "600"]);
    const way = await setUp(t, String(pid));
    const answer = await asNobody(() => way.tell());
    assert.equal(answer.kind, "failed");
    assert.match(answer.message, /cannot be read by .*uid 65534\)? \(EACCES\)/);
  });
});
