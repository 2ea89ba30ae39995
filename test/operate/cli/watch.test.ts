/** `keyturn status --watch` on a real terminal, which script(1) makes. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { delimiter } from "node:path";
import { describe, it } from "node:test";
import { ADMIN_LIMITS } from "../../../src/admin/limits.ts";
import { startAdminServer } from "../../../src/admin/server.ts";
import { IDLE } from "../../support/admin.ts";
import { boardAfter } from "../../support/board.ts";
import * as events from "../../support/events.ts";
import { useKeyturnOnPath } from "../../support/keyturn-on-path.ts";
import type { Scope } from "../../support/scope.ts";
import { until } from "../../support/wait.ts";

const STATUS = boardAfter(events.connected, events.snapshot(), events.live(), events.looked("wrong_cert"));
const CTRL_C = "\u0003";
const CTRL_BACKSLASH = "\u001c";
/** Lines are broken again, the cursor is there, and so is what was on the terminal before. */
const LEAVE = "\u001b[?7h\u001b[?25h\u001b[?1049l";
const HOME = "\u001b[H";
const start = (port: number) =>
  startAdminServer({ ...IDLE, listen: { host: "127.0.0.1", port }, status: () => STATUS }, ADMIN_LIMITS);

describe("keyturn status --watch on a terminal", () => {
  it("draws in place, over a daemon that goes away and comes back, and leaves the terminal as it was", async (t) => {
    const daemon = await start(0);
    t.after(() => daemon.close());
    const { host, port } = new URL(daemon.url);
    const terminal = await useTerminal(t, 80, 12, host);
    await until("it draws, and draws again", () => terminal.pictures().length >= 3);
    assert.ok(terminal.text().includes("\u001b[?1049h\u001b[?25l"), "another page, without a cursor");
    const picture = terminal.pictures().at(-1) ?? "";
    assert.match(picture, /as of .* old; every 0\.2 s, Ctrl-C ends it/);
    assert.match(picture, /… \d+ more lines: keyturn status \| less/);
    assert.ok(picture.split("\n").length <= 12, picture);

    await daemon.close();
    await until("it says how old it is", () =>
      /no answer for .*DAEMON_UNREACHABLE.*what was so \d+ seconds? ago/s.test(
        terminal.pictures().at(-1) ?? "",
      ),
    );
    const next = await start(Number(port));
    t.after(() => next.close());
    await until("it goes on", () => (terminal.pictures().at(-1) ?? "").includes("as of "));

    terminal.type(CTRL_C);
    assert.equal(await terminal.ended, 0);
    assert.ok(terminal.text().trimEnd().endsWith(LEAVE), JSON.stringify(terminal.text().slice(-60)));
  });

  it("leaves the terminal as it was where it is made to quit", async (t) => {
    const daemon = await start(0);
    t.after(() => daemon.close());
    const terminal = await useTerminal(t, 80, 12, new URL(daemon.url).host);
    await until("it draws", () => terminal.pictures().length > 0);
    terminal.type(CTRL_BACKSLASH);
    // As a shell tells that SIGQUIT ended it.
    assert.equal(await terminal.ended, 131);
    assert.ok(terminal.text().includes(LEAVE), JSON.stringify(terminal.text().slice(-60)));
  });

  it("draws nothing over on a terminal that can do no more than print", async (t) => {
    const daemon = await start(0);
    t.after(() => daemon.close());
    const { host } = new URL(daemon.url);
    const terminal = await useTerminal(t, 80, 24, host, "dumb");
    await until("it prints, and prints again", () => (terminal.text().match(/^as of /gm) ?? []).length >= 2);
    terminal.type(CTRL_C);
    assert.equal(await terminal.ended, 0);
    assert.equal(terminal.text().includes("\u001b"), false);
  });
});

/** Watches on a terminal of this size. */
async function useTerminal(t: Scope, columns: number, rows: number, listen: string, kind = "xterm-256color") {
  const path = [await useKeyturnOnPath(t), process.env.PATH].join(delimiter);
  const command = `keyturn status --watch 0.2 --admin-listen ${listen}`;
  const line = `stty cols ${columns} rows ${rows}; exec ${command}`;
  const { FORCE_COLOR: _, NO_COLOR: __, ...env } = process.env;
  const child = spawn("script", ["--quiet", "--return", "--command", line, "/dev/null"], {
    env: { ...env, PATH: path, TERM: kind, LANG: "C.UTF-8", SHELL: "/bin/sh" },
    stdio: ["pipe", "pipe", "inherit"],
  });
  t.after(() => void child.kill("SIGKILL"));
  let text = "";
  child.stdout.setEncoding("utf8").on("data", (chunk) => {
    text += chunk;
  });
  const ended = once(child, "close").then(([code]) => code as number);
  return {
    text: () => text,
    pictures: () => text.split(HOME).slice(1),
    type: (keys: string) => void child.stdin.write(keys),
    ended,
  };
}
