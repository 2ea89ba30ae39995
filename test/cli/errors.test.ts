/** What goes wrong is said with what to do about it. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, it } from "node:test";
import { NOTHING_KNOWN, useAdmin, writeToken } from "../support/admin.ts";
import { boardAfter } from "../support/board.ts";
import { runKeyturn } from "../support/daemon.ts";
import * as events from "../support/events.ts";

const [REJECTED] = boardAfter(events.live(), events.rejected()).bundles;
const NOBODY = ["--admin-listen", "127.0.0.1:1"];

describe("an error of the command", () => {
  for (const [args, code, ...said] of [
    [
      ["rnu"],
      2,
      /^keyturn: USAGE: unknown command 'rnu'\n {2}\(Did you mean run\?\)\n {2}keyturn --help says/,
    ],
    [
      ["status", "--jsn"],
      2,
      /unknown option '--jsn'\n {2}\(Did you mean --json\?\)\n {2}keyturn status --help/,
    ],
    [["history"], 2, /missing required argument 'name'\n {2}keyturn history --help/],
    [["history", "UPPER"], 2, /"UPPER" is not the name of a bundle: keyturn status lists them/],
    [["rollback", "a", "--to", "b"], 2, /"b" is not a generation: .*keyturn history a lists them/],
    [["status", "--watch", "a"], 2, /--watch: "a" is not a number of seconds/],
    [["demo", "--rotations", "x"], 2, /--rotations: "x" is not a whole number/],
    [["completion", "ksh"], 2, /Allowed choices are bash, zsh, fish/],
    [
      ["status", "--config", "/nonexistent.yaml"],
      2,
      /cannot read \/nonexistent\.yaml: .*--config and KEYTURN_CONFIG/,
    ],
    [["status", "--admin-listen", "here"], 2, /--admin-listen: admin\.listen: expected host:port, such as/],
    [["status", ...NOBODY], 1, /DAEMON_UNREACHABLE: .*ECONNREFUSED.*is keyturn running, .*--admin-listen/],
    [["inspect", "--name", "a", "--etcd-endpoints", "http://127.0.0.1:1"], 1, /is etcd running/],
  ] as const) {
    it(`says what to do: keyturn ${args.join(" ")}`, async () => {
      const result = await runKeyturn(args);
      assert.equal(result.code, code);
      assert.equal(result.stdout, "");
      for (const pattern of said) assert.match(result.stderr, pattern);
    });
  }

  it("has nothing in it that a terminal obeys, whoever answers in place of the daemon", async (t) => {
    const evil = "\u001b[2J";
    const server = createServer((request, response) =>
      response.end(
        request.url === "/status"
          ? JSON.stringify({ ...NOTHING_KNOWN, bundles: [{ ...REJECTED, name: evil }] })
          : JSON.stringify({ error: { code: evil, message: evil } }),
      ),
    );
    t.after(() => void server.close());
    await once(server.listen(0, "127.0.0.1"), "listening");
    const { port } = server.address() as AddressInfo;
    const listen = ["--admin-listen", `127.0.0.1:${port}`];
    const results = await Promise.all([
      runKeyturn(["status", ...listen]),
      runKeyturn(["history", "inference", ...listen]),
    ]);
    for (const { stdout, stderr } of results) {
      assert.match(stdout + stderr, /\\u\{1b\}\[2J/);
      assert.equal((stdout + stderr).includes("\u001b"), false);
    }
  });

  it("says which bundle may be meant, and that a token was refused", async (t) => {
    const [right, wrong] = await Promise.all([writeToken(t), writeToken(t, "another")]);
    const admin = await useAdmin(t, {
      status: () => boardAfter(events.live()),
      tokenFile: () => right,
    });
    const at = ["--admin-listen", new URL(admin.url).host];
    const [unknown, refused, none] = await Promise.all([
      runKeyturn(["status", "inferense", ...at]),
      runKeyturn(["retry", "inference", ...at, "--admin-token-file", wrong]),
      runKeyturn(["retry", "inference", ...at]),
    ]);
    assert.match(unknown.stderr, /there is no bundle inferense here: did you mean inference\?/);
    assert.match(
      refused.stderr,
      /UNAUTHORIZED: .*\n {2}the token of \S+ was sent: is that the file the daemon reads/,
    );
    assert.match(none.stderr, /UNAUTHORIZED: .*\n {2}no token was sent: set admin\.tokenFile/);
    assert.doesNotMatch(refused.stderr, /another/);
  });
});
