import assert from "node:assert/strict";
import { once } from "node:events";
import { describe, it, type TestContext } from "node:test";
import { ADMIN_LIMITS } from "../../src/admin/limits.ts";
import { startAdminServer } from "../../src/admin/server.ts";
import { IDLE } from "../support/admin.ts";
import { boardAfter } from "../support/board.ts";
import { runKeyturn, spawnKeyturn } from "../support/daemon.ts";
import * as events from "../support/events.ts";
import { until } from "../support/wait.ts";

const STATUS = boardAfter(events.connected, events.snapshot(), events.live());
const start = (port: number) =>
  startAdminServer({ ...IDLE, listen: { host: "127.0.0.1", port }, status: () => STATUS }, ADMIN_LIMITS);

describe("keyturn status --watch, where it is no terminal", () => {
  it("prints one block after another, also over a daemon that goes away, and exits 0 on Ctrl-C", async (t) => {
    const daemon = await start(0);
    t.after(() => daemon.close());
    const { host, port } = new URL(daemon.url);
    const watch = await useWatch(t, ["--admin-listen", host]);
    const blocks = () => watch.stdout().match(/^as of \S+ \S+Z\ngpu-017: keyturn 1\.2\.3, ready$/gm) ?? [];
    await until("it shows the status, and again", () => blocks().length >= 2);

    await daemon.close();
    await until("it says that nobody answers", () => watch.stderr().includes("DAEMON_UNREACHABLE"));
    const before = blocks().length;
    const next = await start(Number(port));
    t.after(() => next.close());
    await until("it shows the status again", () => blocks().length > before);

    assert.equal(await watch.interrupt(), 0);
    assert.equal(watch.stdout().includes("\u001b"), false);
  });

  it("prints a line of JSON for each look, and for each that failed", async (t) => {
    const daemon = await start(0);
    t.after(() => daemon.close());
    const watch = await useWatch(t, ["--admin-listen", new URL(daemon.url).host, "--json"]);
    const lines = () =>
      watch
        .stdout()
        .split("\n")
        .slice(0, -1)
        .map((line) => JSON.parse(line));
    await until("it shows the status", () => lines().length > 0);
    await daemon.close();
    await until("it says that nobody answers", () => "error" in (lines().at(-1) ?? {}));

    assert.deepEqual(lines()[0], STATUS);
    assert.equal(lines().at(-1).error.code, "DAEMON_UNREACHABLE");
    assert.equal(await watch.interrupt(), 0);
  });

  it("says what it expected in place of a name", async () => {
    const { code, stderr } = await runKeyturn(["status", "--watch", "inference"]);
    assert.equal(code, 2);
    assert.match(stderr, /--watch.*"inference".*seconds/);
  });
});

async function useWatch(t: TestContext, args: readonly string[]) {
  const child = spawnKeyturn(["status", "--watch", "0.1", ...args]);
  t.after(() => void child.kill("SIGKILL"));
  const texts = { stdout: "", stderr: "" };
  for (const name of ["stdout", "stderr"] as const) {
    child[name]?.setEncoding("utf8").on("data", (chunk) => {
      texts[name] += chunk;
    });
  }
  return {
    stdout: () => texts.stdout,
    stderr: () => texts.stderr,
    interrupt: async () => {
      const ended = once(child, "exit");
      child.kill("SIGINT");
      const [code] = await ended;
      return code;
    },
  };
}
