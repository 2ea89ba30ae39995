import assert from "node:assert/strict";
import { access, chmod, readFile, writeFile } from "node:fs/promises";
import { userInfo } from "node:os";
import { join } from "node:path";
import { describe, it } from "node:test";
import { type ExecOptions, notifyExec } from "../../src/notify/exec.ts";
import { isRunning } from "../../src/notify/process-table.ts";
import { collectAttempts } from "../support/attempts.ts";
import { useFolder } from "../support/folder.ts";
import { generationOf, noticeOf } from "../support/notice.ts";
import { createAuthority } from "../support/pki.ts";
import { until } from "../support/wait.ts";

/** Long enough for a busy machine; tests that are to run out of time say so. */
const TIMEOUT_MS = 30_000;

function execOf(argv: readonly string[], options: Partial<ExecOptions> = {}) {
  const { attempts, options: base } = collectAttempts();
  const tell = (signal = new AbortController().signal) =>
    notifyExec({ ...base, argv, timeoutMs: TIMEOUT_MS, ...options }, noticeOf(), signal);
  return { attempts, tell };
}

const shell = (script: string, ...words: string[]) => ["sh", "-c", script, "sh", ...words];
const node = (script: string, ...words: string[]) => [process.execPath, "-e", script, "--", ...words];

describe("a program that is run for a service", () => {
  it("is done where it ends with 0, and that is one attempt", async () => {
    const exec = execOf(["true"]);
    assert.deepEqual(await exec.tell(), { kind: "done" });
    assert.deepEqual(
      exec.attempts.map(({ service, bundle, attempt, result, message }) => [
        [service, bundle, attempt],
        [result, message],
      ]),
      [
        [
          ["web", "inference", 1],
          ["delivered", "web: true ended well"],
        ],
      ],
    );
  });

  it("gets the names and paths of what was rotated, and nothing else of the daemon's environment", async (t) => {
    const file = join(await useFolder(t), "env.json");
    process.env.KEYTURN_TEST_TOKEN = "s3cr3t";
    t.after(() => delete process.env.KEYTURN_TEST_TOKEN);
    const script = "fs.writeFileSync(process.argv[1], JSON.stringify(process.env))";
    assert.deepEqual(await execOf(node(script, file)).tell(), { kind: "done" });
    const { PATH, HOME, LANG, ...told } = JSON.parse(await readFile(file, "utf8"));
    const { digest, id } = generationOf();
    assert.ok(PATH && HOME && LANG);
    assert.deepEqual(told, {
      KEYTURN_SERVICE: "web",
      KEYTURN_BUNDLE: "inference",
      KEYTURN_REASON: "rotated",
      KEYTURN_DIGEST: digest,
      KEYTURN_REVISION: "41",
      KEYTURN_GENERATION: id,
      KEYTURN_FINGERPRINT256: "AA:BB",
      KEYTURN_DIR: "/var/lib/keyturn/inference",
      KEYTURN_CERT: "/var/lib/keyturn/inference/tls.crt",
      KEYTURN_KEY: "/var/lib/keyturn/inference/tls.key",
      KEYTURN_COMBINED: "/var/lib/keyturn/inference/tls.pem",
      KEYTURN_CA: "/var/lib/keyturn/inference/ca.crt",
    });
  });

  it("gets its words as they are: no shell is between", async (t) => {
    const file = join(await useFolder(t), "words.json");
    const script = "fs.writeFileSync(process.argv[1], JSON.stringify(process.argv.slice(2)))";
    const words = ["$HOME", "; touch x", "a  b", "", "*"];
    await execOf(node(script, file, ...words)).tell();
    assert.deepEqual(JSON.parse(await readFile(file, "utf8")), words);
  });

  it("reads nothing, and has the umask of the daemon and a session of its own", async (t) => {
    const file = join(await useFolder(t), "state");
    const script = 'cat > "$1"; umask >> "$1"; cut -d" " -f1,6 "/proc/$$/stat" >> "$1"; pwd >> "$1"';
    await execOf(shell(script, file)).tell();
    const [umask, ids, folder] = (await readFile(file, "utf8")).trim().split("\n");
    const [pid, session] = ids?.split(" ") ?? [];
    assert.equal(Number.parseInt(umask ?? "", 8), process.umask());
    assert.equal(session, pid);
    assert.equal(folder, "/");
  });
});

describe("a program that does not end well", () => {
  it("has failed, with its code and what it wrote to both outputs", async () => {
    const exec = execOf(shell('echo "no such site"; echo "see $0" >&2; exit 3'));
    assert.deepEqual(await exec.tell(), {
      kind: "failed",
      message: "web: sh ended with 3: no such site | see sh",
    });
    assert.equal(exec.attempts[0]?.result, "refused");
  });

  it("has failed where a signal ended it", async () => {
    assert.deepEqual(await execOf(shell("kill -SEGV $$")).tell(), {
      kind: "failed",
      message: "web: sh was ended by SIGSEGV",
    });
  });

  for (const [code, kind] of [
    [69, "unreachable"],
    [75, "busy"],
  ] as const) {
    it(`says that the service is ${kind} by ending with ${code}, as sysexits.h has it`, async () => {
      assert.equal((await execOf(shell(`exit ${code}`)).tell()).kind, kind);
    });
  }

  it("does not get its arguments into a message: they may hold a token", async () => {
    const exec = execOf(shell("exit 1", "s3cr3t"));
    assert.equal(JSON.stringify([await exec.tell(), exec.attempts]).includes("s3cr3t"), false);
  });

  it("does not get a private key into a message", async () => {
    const { privateKeyPem } = await createAuthority("Test");
    const script = "console.log('before', process.argv[1]); console.error('after'); process.exitCode = 1";
    const answer = await execOf(node(script, privateKeyPem)).tell();
    assert.deepEqual(answer, {
      kind: "failed",
      message: `web: ${process.execPath} ended with 1: before [private key] | after`,
    });
  });

  it("tells no more than the end of what it wrote", async () => {
    const script = "process.stdout.write('x'.repeat(50 << 20) + ' the end', () => process.exit(1))";
    const answer = await execOf(node(script)).tell();
    assert.ok(answer.kind === "failed" && answer.message.endsWith("x the end"), answer.kind);
    assert.ok(answer.message.length < 4_200, String(answer.message.length));
  });
});

describe("a program that cannot be started", () => {
  it("by its name says where it was looked for, and what to do", async () => {
    assert.deepEqual(await execOf(["keyturn-has-no-such-program"]).tell(), {
      kind: "failed",
      message:
        `web: keyturn-has-no-such-program is not on the PATH (${process.env.PATH}): ` +
        "install it, or give its absolute path in notify.exec.argv",
    });
  });

  it("by its path says what to do", async (t) => {
    const program = join(await useFolder(t), "reload");
    const answer = await execOf([program]).tell();
    assert.deepEqual(answer, {
      kind: "failed",
      message: `web: ${program} cannot be started (ENOENT): install it, or the interpreter that its first line names`,
    });
  });

  it("because it is not executable says for whom it has to be", async (t) => {
    const program = join(await useFolder(t), "reload");
    await writeFile(program, "#!/bin/sh\n", { mode: 0o644 });
    const answer = await execOf([program]).tell();
    const { username, uid } = userInfo();
    assert.deepEqual(answer, {
      kind: "failed",
      message:
        `web: ${program} cannot be started (EACCES): ` +
        `make it executable for ${username} (uid ${uid}), as whom keyturn runs`,
    });
    await chmod(program, 0o755);
    assert.deepEqual(await execOf([program]).tell(), { kind: "done" });
  });

  for (const argv of [[""], ["true", "a\0b"]]) {
    it(`because of its words, ${JSON.stringify(argv)}, has failed`, async () => {
      assert.equal((await execOf(argv).tell()).kind, "failed");
    });
  }
});

describe("a program that takes too long", () => {
  for (const [what, trap] of [
    ["is ended with all it started", ""],
    ["is ended though it and what it started do not heed SIGTERM", "trap '' TERM; "],
  ]) {
    it(`${what}, and the service is busy`, async (t) => {
      const file = join(await useFolder(t), "pids");
      const script = `${trap}echo on it; sleep 600 & echo $! $$ > "$1"; sleep 600`;
      const exec = execOf(shell(script, file), { timeoutMs: 1_000 });
      const answer = await exec.tell();
      assert.equal(answer.kind, "busy");
      assert.match(answer.message, /^web: sh did not end within 1000 ms, and was ended/);
      assert.equal(exec.attempts[0]?.result, "timeout");
      const pids = (await readFile(file, "utf8")).trim().split(" ").map(Number);
      assert.equal(pids.length, 2);
      await until("nothing of it is left", () => !pids.some(isRunning));
    });
  }
});

describe("a program that leaves something running on purpose", () => {
  it("is done all the same, at once, and that goes on", async (t) => {
    const file = join(await useFolder(t), "pid");
    const answer = await execOf(shell('sleep 600 & echo $! > "$1"', file)).tell();
    const pid = Number(await readFile(file, "utf8"));
    t.after(() => process.kill(pid));
    assert.deepEqual([answer.kind, isRunning(pid)], ["done", true]);
  });
});

describe("a program that is called off", () => {
  it("before it began is not run", async (t) => {
    const file = join(await useFolder(t), "ran");
    const reason = new Error("newer content came");
    await assert.rejects(execOf(["touch", file]).tell(AbortSignal.abort(reason)), reason);
    await assert.rejects(access(file));
  });

  it("while it runs goes on to its end: the service may be at work", async (t) => {
    const folder = await useFolder(t);
    const [begun, may, ended] = ["begun", "may", "ended"].map((name) => join(folder, name)) as [
      string,
      string,
      string,
    ];
    const abort = new AbortController();
    const script = 'touch "$1"; while [ ! -e "$2" ]; do sleep 0.01; done; touch "$3"';
    const answer = execOf(shell(script, begun, may, ended)).tell(abort.signal);
    await until("it runs", () =>
      access(begun).then(
        () => true,
        () => false,
      ),
    );
    abort.abort();
    await writeFile(may, "");
    assert.deepEqual(await answer, { kind: "done" });
    await access(ended);
  });
});
