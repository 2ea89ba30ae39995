import assert from "node:assert/strict";
import { describe, it, type TestContext } from "node:test";
import type { ChangeAnswer } from "../../src/admin/change.ts";
import type { AdminOptions } from "../../src/admin/options.ts";
import { describeChange } from "../../src/cli/change-bundle.ts";
import { KeyturnError } from "../../src/core/errors.ts";
import type { GenerationId } from "../../src/core/generation.ts";
import { useAdmin, writeToken } from "../support/admin.ts";
import { runKeyturn } from "../support/daemon.ts";
import { givenUp, KEY_MISMATCH } from "../support/events.ts";
import { nameOf } from "../support/material.ts";
import { generationOf } from "../support/notice.ts";

const LIVE = generationOf("inference", "live");
const BAD = generationOf("inference", "current", 2);
const WENT_BACK = {
  kind: "rolledBack",
  generation: LIVE,
  from: givenUp(BAD, LIVE),
  message: "an operator asked for it",
  unfinished: null,
} as const;

describe("the answer for a person", () => {
  const answer: ChangeAnswer = {
    done: true,
    bundle: nameOf("inference"),
    outcome: "live",
    generation: "000002-22222222" as GenerationId,
    from: null,
    message: null,
    unfinished: null,
    problems: [],
  };
  const from = "000003-33333333" as GenerationId;
  const back = "inference: 000002-22222222 is current again, 000003-33333333 is in quarantine; ";
  const hint = "put other content, or try it again: keyturn retry inference";
  for (const [what, change, lines] of [
    ["is live", {}, ["inference: 000002-22222222 is live"]],
    ["went back", { outcome: "rolledBack", from, message: "why" }, [back + hint, "  why"]],
    [
      "went back, with a service that is not running",
      { outcome: "rolledBack", from, unfinished: "vllm is not running" },
      [back + hint, "  not told yet: vllm is not running"],
    ],
    [
      "was tried again and rolled back again",
      { done: false, outcome: "rolledBack", from, message: "vllm\nrefused" },
      [back + hint, "  vllm refused"],
    ],
    [
      "could not go back",
      { done: false, outcome: "failed", message: "no space" },
      ["inference: not done: failed, 000002-22222222 is current", "  no space"],
    ],
    [
      "was rejected",
      { done: false, outcome: "rejected", generation: null, problems: [KEY_MISMATCH] },
      ["inference: not done: rejected", "  KEY_MISMATCH: the private key belongs to another"],
    ],
  ] as readonly (readonly [string, Partial<ChangeAnswer>, readonly string[]])[]) {
    it(`says of a bundle that it ${what}`, () => {
      assert.deepEqual(describeChange({ ...answer, ...change }).split("\n"), lines);
    });
  }
});

describe("keyturn rollback", () => {
  it("brings the token and the generation, and says what is current now", async (t) => {
    const asked: unknown[] = [];
    const rollback: AdminOptions["rollback"] = async (...given) => {
      asked.push(given);
      return WENT_BACK;
    };
    const { run } = await useCommand(t, { rollback });
    const { code, stdout, stderr } = await run("rollback", "inference", "--to", "000001-9f86d081");
    assert.deepEqual([code, stderr, asked], [0, "", [["inference", "000001-9f86d081"]]]);
    assert.match(stdout, /^inference: 1-0123456789ab is current again, 2-0123456789ab is in quarantine/);
  });

  it("exits 1 where going back failed, and prints JSON where that is asked for", async (t) => {
    const rollback = async () => ({ kind: "failed", generation: BAD, message: "no space" }) as const;
    const { run } = await useCommand(t, { rollback });
    const { code, stdout } = await run("rollback", "inference", "--json");
    const { done, outcome, message } = JSON.parse(stdout);
    assert.deepEqual([code, done, outcome, message], [1, false, "failed", "no space"]);
  });

  it("exits 1 with the code and the message of the daemon", async (t) => {
    const rollback = () => Promise.reject(new KeyturnError("NOTHING_TO_DO", "there is no earlier one"));
    const { run } = await useCommand(t, { rollback });
    const [text, json] = await Promise.all([
      run("rollback", "inference"),
      run("rollback", "inference", "--json"),
    ]);
    const error = { code: "NOTHING_TO_DO", message: "there is no earlier one" };
    assert.deepEqual([text.code, text.stdout, json.code, JSON.parse(json.stdout)], [1, "", 1, { error }]);
    assert.equal(text.stderr, "keyturn: NOTHING_TO_DO: there is no earlier one\n");
  });

  it("says what to set where no token is configured here", async (t) => {
    const { listen } = await useCommand(t, {});
    const { code, stderr } = await runKeyturn(["rollback", "inference", "--admin-listen", listen]);
    assert.equal(code, 1);
    assert.match(stderr, /^keyturn: UNAUTHORIZED: .*\n {2}no token was sent: set admin\.tokenFile/);
  });
});

describe("keyturn retry", () => {
  it("exits 0 where the content is live now", async (t) => {
    const outcome = { kind: "live", generation: BAD, warning: null } as const;
    const { run } = await useCommand(t, { retry: async () => ({ kind: "reloaded", outcome }) });
    const { code, stdout } = await run("retry", "inference");
    assert.deepEqual([code, stdout], [0, "inference: 2-0123456789ab is live\n"]);
  });

  it("exits 1 where it was rolled back again", async (t) => {
    const { run } = await useCommand(t, { retry: async () => ({ kind: "reloaded", outcome: WENT_BACK }) });
    assert.equal((await run("retry", "inference")).code, 1);
  });
});

describe("a name that cannot be one", () => {
  for (const args of [
    ["history", "UPPER"],
    ["rollback", "../etc"],
    ["retry", "a/b"],
    ["rollback", "inference", "--to", "current"],
    ["rollback", "inference", "--to", "000001-9f86d081/.."],
    ["retry"],
    ["history", "a", "b"],
  ]) {
    it(`is an error before anything is asked: keyturn ${args.join(" ")}`, async () => {
      // Nobody listens there: had it been asked, the exit code would be 1.
      const { code, stderr } = await runKeyturn([...args, "--admin-listen", "127.0.0.1:1"]);
      assert.equal(code, 2);
      assert.ok(stderr.length > 0);
    });
  }
});

async function useCommand(t: TestContext, options: Partial<AdminOptions>) {
  const file = await writeToken(t);
  const admin = await useAdmin(t, { ...options, tokenFile: () => file });
  const listen = new URL(admin.url).host;
  const run = (...args: readonly string[]) =>
    runKeyturn([...args, "--admin-listen", listen, "--admin-token-file", file]);
  return { listen, run };
}
