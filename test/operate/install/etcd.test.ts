/** docs/etcd.md, as its reader runs it: an etcd with TLS and roles, whose client certificate keyturn turns itself. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { after, before, describe, it } from "node:test";
import { promisify } from "node:util";
import { parse } from "yaml";
import { findEtcd, freePorts } from "../../../src/dev/etcd.ts";
import { type TestDaemon, useDaemon } from "../../support/daemon.ts";
import { useFolder } from "../../support/folder.ts";
import { codeUnder } from "../../support/markdown.ts";
import { createAuthority } from "../../support/pki.ts";
import type { Scope } from "../../support/scope.ts";
import { type Shell, useShell } from "../../support/shell.ts";
import { until } from "../../support/wait.ts";

const run = promisify(execFile);
const PAGE = "docs/etcd.md";

describe("docs/etcd.md", () => {
  const ends: (() => void | Promise<void>)[] = [];
  const scope: Scope = { after: (end) => void ends.unshift(end) };
  let [folder, ca, port, etcdctl] = ["", "", "", ""];
  let shell: Shell;
  let daemon: TestDaemon;

  /** The page is about a host of its own and the folders of a system. */
  const here = (code: string) =>
    code
      .replaceAll("etcd.internal", "localhost")
      .replaceAll("0.0.0.0", "127.0.0.1")
      .replaceAll("2379", port)
      .replaceAll("/etc/keyturn/keyturn.yaml", join(folder, "node/keyturn.yaml"))
      .replaceAll("/etc/keyturn", join(folder, "etc"));
  const blocks = async (heading: string, language = "sh") =>
    (await codeUnder(PAGE, heading, language)).map(here);
  /** Asks etcd as a user. */
  const ask = async (user: string, ...words: readonly string[]) => {
    const access = ["--cacert", "ca.crt", "--cert", `${user}.crt`, "--key", `${user}.key`];
    const options = { cwd: ca, env: { ...process.env, ETCDCTL_API: "3" } };
    const to = [
      "--endpoints",
      `https://localhost:${port}`,
      "--command-timeout",
      "2s",
      "--dial-timeout",
      "2s",
    ];
    return (await run(etcdctl, [...to, ...access, ...words], options)).stdout;
  };
  const connections = () => daemon.log.filter(({ event }) => event === "etcd.connected").length;
  const clientSerial = async () => {
    const { stdout } = await run("openssl", [
      "x509",
      "-noout",
      "-serial",
      "-in",
      join(folder, "etc/etcd/client.pem"),
    ]);
    return stdout.trim();
  };

  before(async () => {
    const programs = await findEtcd();
    folder = await useFolder(scope);
    etcdctl = programs.etcdctl;
    ca = join(folder, "etcd-ca");
    const bin = join(folder, "bin");
    await mkdir(bin);
    const cli = process.env.KEYTURN_BUILT_CLI;
    assert.ok(cli, "run this as npm run test:operate, which builds keyturn");
    await writeFile(join(bin, "keyturn"), `#!/bin/sh\nexec ${process.execPath} ${cli} "$@"\n`, {
      mode: 0o755,
    });
    const [clientPort, peerPort] = await freePorts(2);
    port = String(clientPort);
    const peer = `http://127.0.0.1:${peerPort}`;
    const env = {
      PATH: [bin, dirname(programs.etcdctl), dirname(programs.etcd), process.env.PATH].join(":"),
      ETCD_LISTEN_PEER_URLS: peer,
      ETCD_INITIAL_ADVERTISE_PEER_URLS: peer,
      ETCD_INITIAL_CLUSTER: `default=${peer}`,
    };
    shell = useShell(scope, { cwd: folder, env });
    const [certificates = "", revoked = "", start = ""] = await blocks("Certificates");
    await shell.run(certificates);
    await shell.run(revoked);
    await shell.run(`${start.trimEnd()} > etcd.log 2>&1 &`);
    await until("etcd answers", () =>
      ask("root", "endpoint", "health").then(
        () => true,
        () => false,
      ),
    );
    const [users = ""] = await blocks("Users and roles");
    await shell.run(users);
    const side = "keyturn's side, with its own certificate under way";
    for (const code of await blocks(side)) await shell.run(code);
    const [settings = ""] = await blocks(side, "yaml");
    await mkdir(join(folder, "node"));
    daemon = await useDaemon(scope, join(folder, "node"), parse(settings), { PATH: env.PATH });
    await until("it is connected", () => connections() > 0);
  });
  after(async () => {
    for (const end of ends) await end();
  });

  it("gives keyturn the right to read the prefix, the issuer that to write there, and neither any other", async () => {
    const refused = /permission denied/;
    assert.equal(await ask("issuer", "put", "/certs/one", "not a bundle"), "OK\n");
    assert.equal(await ask("keyturn", "get", "/certs/one", "--print-value-only"), "not a bundle\n");
    for (const words of [
      ["put", "/certs/one", "x"],
      ["del", "/certs/one"],
      ["get", "/other"],
      ["get", "", "--prefix"],
      ["user", "list"],
    ]) {
      await assert.rejects(ask("keyturn", ...words), refused, words.join(" "));
    }
    await assert.rejects(ask("issuer", "put", "/other", "x"), refused);
    await assert.rejects(ask("issuer", "user", "list"), refused);
    assert.equal(await ask("issuer", "del", "/certs/one"), "1\n");
  });

  it("has a way in with a password", async () => {
    await writeFile(join(ca, "reader-password"), "one-word\n");
    const [, password = ""] = await blocks("Users and roles");
    await shell.run(password);
    const access = (word: string) => ask("keyturn", "--user", `reader:${word}`, "get", "/certs/", "--prefix");
    assert.equal(await access("one-word"), "");
    await assert.rejects(access("another"), /authentication failed/);
  });

  it("has keyturn turn the certificate it connects with, and etcd then refuse the one before", async () => {
    const [first, before] = [await clientSerial(), connections()];
    const [rotate = "", revoke = ""] = await blocks("Rotate it");
    await shell.run("cp keyturn.key keyturn-old.key");

    await shell.run(rotate);
    await daemon.untilLive("etcd-client");
    assert.notEqual(await clientSerial(), first);
    await until("it connects with the new one", () => connections() > before);
    assert.match(await ask("keyturn-old", "get", "/certs/etcd-client.pem"), /CERTIFICATE/);

    await shell.run(revoke);
    await assert.rejects(ask("keyturn-old", "get", "/certs/etcd-client.pem"));
    await until("etcd says why", async () => /revoked/.test(await readFile(join(ca, "etcd.log"), "utf8")));
    // A certificate is looked at where a connection begins: the next one of the daemon has to be taken.
    await connectAnew();
  });

  for (const [what, issue] of [
    ["of another authority", issueElsewhere],
    [
      "with the name of nobody",
      () => shell.run("issue nobody clientAuth 90; cat nobody.crt nobody.key ca.crt > bad.pem"),
    ],
  ] as const) {
    it(`has it go back from one ${what}, and stay connected`, async () => {
      const good = await clientSerial();
      await issue();
      await shell.run("etcdctl put /certs/etcd-client.pem < bad.pem");
      const found = await until("it went back", async () => {
        const bundle = await daemon.bundle("etcd-client");
        return bundle?.quarantine && bundle.state === "rolledBack" ? bundle : undefined;
      });
      assert.equal(found.live, true);
      assert.equal(await clientSerial(), good);
      await connectAnew();

      const [rotate = ""] = await blocks("Rotate it");
      await shell.run(rotate);
      await until("the next good one is there", async () => (await clientSerial()) !== good);
      await daemon.untilLive("etcd-client");
    });
  }

  it("has a way back in for a node that is cut off", async () => {
    const lost = await clientSerial();
    const [rotate = "", revoke = ""] = await blocks("Rotate it");
    await shell.run("cp keyturn.crt keyturn-old.crt");
    await shell.run(revoke);
    const losses = () => daemon.log.filter(({ event }) => event === "etcd.disconnected").length;
    const before = losses();
    daemon.process.kill("SIGHUP");
    await until("it is cut off", () => losses() > before);
    await shell.run(rotate);
    await shell.run(`cat keyturn.key keyturn.crt > ${join(folder, "etc/etcd/by-hand.pem")}`);

    const [byHand = ""] = await blocks("When it was a wrong one");
    await shell.run(byHand);
    await connectAnew();
    await until("the good one is there", async () => (await clientSerial()) !== lost);
    await daemon.untilLive("etcd-client");
    await shell.run(`sed -i s/by-hand.pem/client.pem/ ${join(folder, "node/keyturn.yaml")}`);
    await connectAnew();
  });

  async function issueElsewhere(): Promise<void> {
    const stranger = await createAuthority("another CA");
    const { certificatePem, privateKeyPem } = await stranger.issue(["keyturn"]);
    await writeFile(join(ca, "bad.pem"), certificatePem + privateKeyPem + stranger.certificatePem);
  }

  /** Reads the configuration again, which connects again, and waits for that. */
  async function connectAnew(): Promise<void> {
    const before = connections();
    daemon.process.kill("SIGHUP");
    await until("it connects anew", () => connections() > before);
  }
});
