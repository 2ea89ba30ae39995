/** What systemd hears of a daemon, by its own program, on a socket like its own. */
import assert from "node:assert/strict";
import { appendFile, readFile, writeFile } from "node:fs/promises";
import { delimiter, dirname, join } from "node:path";
import { describe, it } from "node:test";
import { useDaemon } from "../../support/daemon.ts";
import { useEtcd } from "../../support/etcd.ts";
import { useFolder } from "../../support/folder.ts";
import { useNotifySocket } from "../../support/notify-socket.ts";
import { createAuthority } from "../../support/pki.ts";
import { needTool } from "../../support/tools.ts";
import { until } from "../../support/wait.ts";

const WATCHDOG_US = 300_000;
const PATH = [dirname(needTool("systemd-notify")), process.env.PATH].join(delimiter);

describe("a daemon that systemd started", () => {
  it("says in order that it is ready, alive, reloading, ready again, and stopping", async (t) => {
    const [folder, etcd, authority] = await Promise.all([useFolder(t), useEtcd(t), createAuthority("CA")]);
    const { certificatePem, privateKeyPem } = await authority.issue(["inference.local"]);
    const socket = await useNotifySocket(t, join(folder, "notify"));
    const env = { PATH, NOTIFY_SOCKET: socket.name, WATCHDOG_USEC: String(WATCHDOG_US) };
    const settings = { etcd: { endpoints: [etcd.endpoint] } };
    const daemon = await useDaemon(t, folder, settings, env);
    const last = (start: string) => socket.messages.findLastIndex(([first]) => first === start);
    const came = (start: string, after = -1) => until(start, () => last(start) > after);

    await came("READY=1");
    assert.match(socket.messages[0]?.join() ?? "", /^READY=1,STATUS=0 of 0 bundles live; etcd/);
    await came("WATCHDOG=1");
    await etcd.put("/certs/inference", certificatePem + privateKeyPem + authority.certificatePem);
    await until("the status tells what is live", () =>
      socket.messages.some((message) => message.includes("STATUS=1 of 1 bundle live; etcd connected")),
    );

    const first = last("READY=1");
    daemon.process.kill("SIGHUP");
    await came("RELOADING=1");
    await came("READY=1", first);
    await came("WATCHDOG=1", last("READY=1"));

    const second = last("READY=1");
    const good = await readFile(daemon.configFile, "utf8");
    await appendFile(daemon.configFile, "oops: 1\n");
    daemon.process.kill("SIGHUP");
    await came("READY=1", second);
    assert.match(
      socket.messages[last("READY=1")]?.[1] ?? "",
      /^STATUS=the new configuration is not used: .*oops/,
    );
    await writeFile(daemon.configFile, good);

    assert.equal(await daemon.stop(), 0);
    const words = socket.messages.map(([first]) => first).filter((first) => /^[RS].*=1$/.test(first ?? ""));
    assert.deepEqual(
      words.filter((word, at) => word !== words[at - 1]),
      ["READY=1", "RELOADING=1", "READY=1", "RELOADING=1", "READY=1", "STOPPING=1"],
    );
    assert.equal(socket.messages.at(-1)?.[0], "STOPPING=1");
  });

  it("is ready though etcd is away, and is heard on an abstract socket", async (t) => {
    const folder = await useFolder(t);
    const socket = await useNotifySocket(t, `@keyturn-test-${process.pid}`);
    const env = { PATH, NOTIFY_SOCKET: socket.name };
    await useDaemon(t, folder, { etcd: { endpoints: ["http://127.0.0.1:9"] } }, env);

    await until("it is ready", () => socket.messages.length > 0);
    assert.match(socket.messages[0]?.join() ?? "", /^READY=1,STATUS=0 of 0 bundles live; etcd away/);
  });
});
