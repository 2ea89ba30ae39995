/** What systemd is told, seen by a program that stands in for systemd-notify. */
import assert from "node:assert/strict";
import { chmod, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { takeServiceManager } from "../../src/service-manager/service-manager.ts";
import { useFolder } from "../support/folder.ts";
import type { Scope } from "../support/scope.ts";
import { until } from "../support/wait.ts";

const WATCHDOG_MS = 40;

describe("the service manager", () => {
  const ends: (() => void | Promise<void>)[] = [];
  const scope: Scope = { after: (end) => void ends.unshift(end) };
  const { PATH } = process.env;
  let [told, socket] = ["", ""];
  before(async () => {
    const folder = await useFolder(scope);
    const program = join(folder, "systemd-notify");
    // The socket is the file that this one writes to.
    const script = `#!/bin/sh\n[ "$1" != READY=1 ] || sleep 0.1\nIFS='|'; echo "$*" >> "$NOTIFY_SOCKET"\n`;
    await writeFile(program, script);
    await chmod(program, 0o755);
    process.env.PATH = `${folder}:${PATH}`;
    socket = join(folder, "told");
  });
  after(async () => {
    process.env.PATH = PATH;
    for (const end of ends) await end();
  });
  const messages = async () => (await readFile(told, "utf8").catch(() => "")).split("\n").filter(Boolean);
  const connect = (name: string, env: NodeJS.ProcessEnv = {}, status = () => "fine") => {
    told = `${socket}-${name}`;
    const errors: unknown[] = [];
    const manager = takeServiceManager({ NOTIFY_SOCKET: told, ...env })?.({
      status,
      onError: (thrown) => errors.push(thrown),
    });
    assert.ok(manager);
    return { manager, errors };
  };

  it("is none where nobody waits for messages", () => {
    assert.equal(takeServiceManager({}), undefined);
  });

  it("is taken out of the environment, so that no program that is run can speak for the daemon", () => {
    const env = { NOTIFY_SOCKET: "/run/notify", WATCHDOG_USEC: "1", WATCHDOG_PID: "1", PATH: "/bin" };
    assert.ok(takeServiceManager(env));
    assert.deepEqual(env, { PATH: "/bin" });
  });

  it("is told in the order in which things happen, and everything before the end", async () => {
    const { manager, errors } = connect("order");
    manager.ready();
    manager.reloading();
    manager.ready("not used:\nWATCHDOG=trigger");
    manager.stopping();
    // A reload that ends while the daemon stops, and one that is asked for then.
    manager.ready();
    manager.reloading();
    await manager.close();

    assert.deepEqual(await messages(), [
      "READY=1|STATUS=fine",
      "RELOADING=1|STATUS=reading the configuration again",
      "READY=1|STATUS=not used: WATCHDOG=trigger",
      "STOPPING=1|STATUS=stopping",
    ]);
    assert.deepEqual(errors, []);
  });

  it("hears that the daemon is alive, and what is new, until it stops", async () => {
    let status = "fine";
    const { manager } = connect("alive", { WATCHDOG_USEC: String(WATCHDOG_MS * 1_000) }, () => status);
    manager.ready();
    await until("there are beats", async () => (await messages()).includes("WATCHDOG=1"));
    status = "worse";
    await until("there is news", async () => (await messages()).includes("WATCHDOG=1|STATUS=worse"));
    const before = (await messages()).length;
    await until("it goes on", async () => (await messages()).length > before);
    assert.equal((await messages()).filter((message) => message.includes("STATUS=worse")).length, 1);

    manager.stopping();
    await manager.close();
    assert.equal((await messages()).at(-1), "STOPPING=1|STATUS=stopping");
  });

  it("shows a note until something changes", async () => {
    let status = "fine";
    const { manager } = connect("note", { WATCHDOG_USEC: String(WATCHDOG_MS * 1_000) }, () => status);
    manager.ready("not used");
    await until("there are beats", async () => (await messages()).includes("WATCHDOG=1"));
    status = "worse";
    await until("there is news", async () => (await messages()).includes("WATCHDOG=1|STATUS=worse"));
    manager.stopping();
    await manager.close();

    const told = (await messages()).filter((message) => message.includes("STATUS="));
    assert.deepEqual(told, [
      "READY=1|STATUS=not used",
      "WATCHDOG=1|STATUS=worse",
      "STOPPING=1|STATUS=stopping",
    ]);
  });

  it("hears nothing of a watchdog that is for another process", async () => {
    const { manager } = connect("other", { WATCHDOG_USEC: "2000", WATCHDOG_PID: "1" });
    manager.ready();
    await manager.close();
    const { manager: watched } = connect("own", { WATCHDOG_USEC: "2000", WATCHDOG_PID: String(process.pid) });
    watched.ready();
    await until("the watched one beats", async () => (await messages()).includes("WATCHDOG=1"));
    watched.stopping();
    await watched.close();

    told = `${socket}-other`;
    assert.deepEqual(await messages(), ["READY=1|STATUS=fine"]);
  });

  it("that cannot be reached is reported once, and says what is missing", async () => {
    const { manager, errors } = connect("missing");
    const own = process.env.PATH;
    process.env.PATH = "/nowhere";
    manager.ready();
    manager.reloading();
    await manager.close();
    process.env.PATH = own;
    manager.stopping();
    await manager.close();

    assert.equal(errors.length, 1);
    assert.match(String(errors[0]), /systemd-notify: it is not installed; it comes with systemd/);
    assert.deepEqual(await messages(), ["STOPPING=1|STATUS=stopping"]);
  });

  it("that refuses is reported with what it says", async () => {
    told = join(socket, "no/such/folder");
    const errors: unknown[] = [];
    const manager = takeServiceManager({ NOTIFY_SOCKET: told })?.({
      status: () => "",
      onError: (thrown) => errors.push(thrown),
    });
    manager?.ready();
    await manager?.close();

    assert.match(String(errors[0]), /systemd-notify ended with \d+: .*no\/such\/folder/);
  });
});
