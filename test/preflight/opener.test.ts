import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { readFile } from "node:fs/promises";
import { describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { type Answer, createOpener } from "../../src/preflight/locked/opener.ts";
import { createUnlock } from "../../src/preflight/unlock.ts";
import { exportKey } from "../support/locked-keys.ts";
import { contentsOf } from "../support/material.ts";
import type { Oddity } from "../support/odd-opener.ts";
import { usePassphrase } from "../support/unlock.ts";
import { until } from "../support/wait.ts";

const program = fileURLToPath(new URL("../support/odd-opener.ts", import.meta.url));
const PASSPHRASE = "b3BlbiBzZXNhbWU=";

function ask(oddity: Oddity, deadlineMs = 60_000): Promise<Answer> {
  const open = createOpener({ program, deadlineMs });
  return open({ kind: "key", pem: oddity, passphrase: PASSPHRASE }, new AbortController().signal);
}

describe("a process that opens something", () => {
  for (const [oddity, what, how] of [
    ["crash", "crashes", "was ended by SIGSEGV"],
    ["fail", "fails", "ended with 3"],
    ["garble", "answers with something else", "gave an answer that is none"],
    ["flood", "never stops answering", "gave more of an answer than there can be"],
  ] as const) {
    it(`harms nobody when it ${what}`, async () => {
      assert.deepEqual(await ask(oddity), { kind: "crashed", how });
    });
  }

  it("is ended at its deadline", async () => {
    assert.deepEqual(await ask("hang", 500), { kind: "crashed", how: "gave no answer in 500 ms" });
  });

  it("that cannot be started is an answer too", async () => {
    const open = createOpener({ program: "/nowhere/at-all/program.ts" });
    const answer = await open({ kind: "key", pem: "", passphrase: "" }, new AbortController().signal);
    assert.match(answer.kind === "crashed" ? answer.how : "", /^cannot be started: .*ENOENT/);
  });

  it("has OpenSSL's legacy provider only where the default one is not enough", async () => {
    const answer = await ask("refuse");
    assert.ok(answer.kind === "opened");
    assert.deepEqual([answer.isLegacy, answer.content.reveal().keys], [true, ["legacy"]]);
  });

  it("gets no secret by its arguments, and no environment", async () => {
    const answer = await ask("tell");
    assert.ok(answer.kind === "opened");
    const [told = ""] = answer.content.reveal().keys;
    assert.doesNotMatch(told, new RegExp(PASSPHRASE));
    assert.equal(JSON.parse(told).env.PATH, undefined);
  });

  it("gives an answer that is not shown by accident", async () => {
    assert.doesNotMatch(JSON.stringify(await ask("refuse")), /"legacy"/);
  });
});

describe("someone who gives up on a process that opens something", () => {
  it("is told at once, and the process is ended", async () => {
    const abort = new AbortController();
    const open = createOpener({ program });
    const children = await childrenOf(process.pid);
    const opening = open({ kind: "key", pem: "hang", passphrase: "" }, abort.signal);
    opening.catch(() => undefined);
    await until("the process runs", async () => (await childrenOf(process.pid)) !== children);
    abort.abort(new Error("given up"));
    await assert.rejects(opening, /given up/);
    await until("it is gone", async () => (await childrenOf(process.pid)) === children);
  });
});

describe("an encrypted private key over which the process ends", () => {
  it("is unreadable, and what to do is said", async (t) => {
    const unlock = createUnlock((_, signal) =>
      createOpener({ program })({ kind: "key", pem: "crash", passphrase: "" }, signal),
    );
    const key = generateKeyPairSync("ed25519").privateKey;
    const pem = exportKey(key, "pkcs8", { cipher: "aes-256-cbc", passphrase: "open" });
    const passphraseFile = await usePassphrase(t, "open");
    const { keys, problems } = await unlock(
      contentsOf({ "": pem }),
      { passphraseFile, profile: "default" },
      new AbortController().signal,
    );
    assert.deepEqual([keys, problems.map(({ code }) => code)], [[], ["KEY_UNREADABLE"]]);
    assert.match(problems[0]?.message ?? "", /was ended by SIGSEGV; convert it \(openssl pkcs8 /);
  });
});

/** Processes that a process has started. */
function childrenOf(pid: number): Promise<string> {
  return readFile(`/proc/${pid}/task/${pid}/children`, "utf8");
}
