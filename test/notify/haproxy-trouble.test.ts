/** What a real haproxy cannot be brought to do when it is wanted: its socket, answered by the test. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { rm, writeFile } from "node:fs/promises";
import { createServer, type Socket } from "node:net";
import { join } from "node:path";
import { describe, it, type TestContext } from "node:test";
import { notifyHaproxy } from "../../src/notify/haproxy.ts";
import { Turns } from "../../src/notify/turns.ts";
import { collectAttempts } from "../support/attempts.ts";
import { useFolder } from "../support/folder.ts";
import { noticeOf } from "../support/notice.ts";
import { createBundleMaker } from "../support/pki.ts";

const { key, chain } = await (await createBundleMaker()).make();
const CREATED = (name: string) => `Transaction created for certificate ${name}!\n\n`;

type Behave = (verb: string, name: string, socket: Socket, command: string) => void;

/** Takes commands as haproxy does, and remembers them without their payload. */
async function setUp(t: TestContext, behave: Behave) {
  const folder = await useFolder(t);
  const [socketPath, combined] = [join(folder, "haproxy.sock"), join(folder, "tls.pem")];
  await writeFile(combined, key + chain);
  const commands: string[] = [];
  const server = createServer((socket) => {
    let text = "";
    socket.on("error", () => socket.destroy());
    socket.on("data", (chunk) => {
      text += chunk;
      const [line = ""] = text.split("\n");
      const isWhole = line.endsWith("<<") ? text.endsWith("\n\n") : text.endsWith("\n");
      if (!isWhole) return;
      const [verb = "", , , name = ""] = line.split(" ");
      commands.push(`${verb} ${name}`.trim());
      if (verb === "show") socket.end(`# filename\n${combined}\n\n`);
      else behave(verb, name, socket, text);
    });
  });
  server.listen(socketPath);
  await once(server, "listening");
  t.after(() => server.close());
  const { attempts, options } = collectAttempts();
  const all = { ...options, socketPath, timeoutMs: 5_000, turns: new Turns() };
  const { paths, ...notice } = noticeOf();
  const tell = () =>
    notifyHaproxy(all, { ...notice, paths: { ...paths, combined } }, new AbortController().signal);
  const die = () => new Promise<void>((resolve) => server.close(() => resolve()));
  return { tell, commands, attempts, combined, socketPath, die };
}

describe("a haproxy", () => {
  it("that wrote into the transaction of another certificate has that one aborted, and is told again", async (t) => {
    let sets = 0;
    const { tell, commands, combined } = await setUp(t, (verb, name, socket) => {
      if (verb === "set") socket.end(CREATED(++sets === 1 ? "/other.pem" : name));
      else socket.end(verb === "commit" ? `Committing ${name}.\nSuccess!\n\n` : "Transaction aborted!\n\n");
    });
    assert.deepEqual(await tell(), { kind: "done" });
    assert.deepEqual(commands, [
      "show",
      `set ${combined}`,
      "abort /other.pem",
      "show",
      `set ${combined}`,
      `commit ${combined}`,
    ]);
  });

  it("whose certificates are locked is told again", async (t) => {
    let commits = 0;
    const locked = "Can't commit the certificate!\nOperations on certificates are currently locked!\n\n";
    const { tell, commands, combined } = await setUp(t, (verb, name, socket) => {
      if (verb === "set") socket.end(CREATED(name));
      else socket.end(verb === "commit" && ++commits > 1 ? "Committing.\nSuccess!\n\n" : locked);
    });
    assert.deepEqual(await tell(), { kind: "done" });
    assert.deepEqual(commands.slice(0, 5), [
      "show",
      `set ${combined}`,
      `commit ${combined}`,
      `abort ${combined}`,
      "show",
    ]);
  });

  it("that says what it was sent does not get it into a message", async (t) => {
    const { tell, attempts } = await setUp(t, (_verb, _name, socket, command) => {
      socket.end(`Unknown command: '${key.split("\n")[1]}' in\n${command}`);
    });
    const said = JSON.stringify([await tell(), attempts]);
    assert.match(said, /haproxy did not take .*: Unknown command/);
    for (const line of key.split("\n").filter((text) => /^[\w+/=]{12,}$/.test(text))) {
      assert.equal(said.includes(line), false, said);
    }
  });

  it("that never stops talking is listened to for so long only", async (t) => {
    const { tell, commands } = await setUp(t, (_verb, _name, socket) => {
      const talk = () => {
        while (!socket.destroyed && socket.write("x ".repeat(32 << 10)));
      };
      socket.on("drain", talk);
      talk();
    });
    const answer = await tell();
    assert.equal(answer.kind, "failed");
    assert.ok(answer.message.length < 1_000, String(answer.message.length));
    assert.equal(commands.at(-1)?.startsWith("abort"), true);
  });

  for (const verb of ["set", "commit"]) {
    it(`that breaks off at ${verb} and is there is busy, and its transaction is aborted`, async (t) => {
      const { tell, commands, attempts, combined } = await setUp(t, (asked, name, socket) => {
        if (asked === verb) socket.destroy();
        else socket.end(CREATED(name));
      });
      const answer = await tell();
      assert.deepEqual([answer.kind, attempts[0]?.result], ["busy", "busy"]);
      assert.equal(commands.at(-1), `abort ${combined}`);
    });

    it(`that breaks off at ${verb} and is gone died over it`, async (t) => {
      const { tell, socketPath, die } = await setUp(t, async (asked, name, socket) => {
        if (asked !== verb) {
          socket.end(CREATED(name));
          return;
        }
        const dead = die();
        await rm(socketPath, { force: true });
        socket.destroy();
        await dead;
      });
      assert.deepEqual(await tell(), {
        kind: "failed",
        message: `web: haproxy is gone from ${socketPath} since it was told: it died over it`,
      });
    });
  }
});
