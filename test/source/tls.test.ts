import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { describe, it, type TestContext } from "node:test";
import type { EtcdAccess } from "../../src/source/client.ts";
import { useEtcd } from "../support/etcd.ts";
import { useFolder } from "../support/folder.ts";
import { type Following, follow } from "../support/follow.ts";
import { hurriedClock } from "../support/hurried-clock.ts";
import { createAuthority } from "../support/pki.ts";
import { useTcpProxy } from "../support/tcp-proxy.ts";
import { type TlsEtcd, useTlsEtcd, writeFiles } from "../support/tls-etcd.ts";
import { until } from "../support/wait.ts";

describe("an etcd that speaks mutual TLS", () => {
  it("is followed with a client certificate", async (t) => {
    const { etcd, start } = await useClient(t);
    await etcd.ctl("put", "/certs/a", "one");

    const following = start();
    await following.untilContent({ "/certs/a": "one" });
    await etcd.ctl("put", "/certs/a", "two");
    await following.untilContent({ "/certs/a": "two" });

    assert.deepEqual(following.reported("etcd.disconnected"), []);
    assert.deepEqual(following.breaches, []);
  });

  it("sees the new client certificate when the files are replaced", async (t) => {
    const { etcd, folder, start } = await useClient(t);
    const { authority } = etcd;
    const tls = await writeFiles(
      folder,
      "client",
      authority,
      await authority.issue(["reader-1", "127.0.0.1"]),
    );
    await addReaders(etcd);
    const following = start({ tls });
    await following.untilSeen(1);

    const { length } = following.reported("etcd.connected");
    await writeFiles(folder, "client", authority, await authority.issue(["reader-2", "127.0.0.1"]));
    await until("it connects anew", () => following.reported("etcd.connected").length > length);
    await etcd.ctl("user", "delete", "reader-1");
    following.requestResync();
    await until("it is listed", () => following.causes().includes("requested"));
    await etcd.ctl("put", "/certs/a", "one");
    await following.untilContent({ "/certs/a": "one" });

    assert.deepEqual(following.reported("etcd.disconnected"), []);
    assert.deepEqual(following.breaches, []);
  });

  it("is refused as a matter of trust where its certificate is from another authority", async (t) => {
    const { etcd, folder, start } = await useClient(t);
    const stranger = await createAuthority("Stranger");
    const tls = await writeFiles(
      folder,
      "client",
      stranger,
      await etcd.authority.issue(["root", "127.0.0.1"]),
    );

    const following = start({ tls });
    const denied = await untilDenied(following);
    await writeFile(tls.caFile, etcd.authority.certificatePem);
    await following.untilSeen(1);

    assert.equal(denied.code, "ETCD_DENIED");
    assert.match(denied.message, /certificate.*etcd\.tls/);
  });

  it("is followed by its IP address, or, where this Node cannot, says to use a host name", async (t) => {
    const { etcd, start } = await useClient(t);
    const following = start({ endpoints: [etcd.endpoint.replace("localhost", "127.0.0.1")] });

    if (Number(process.versions.node.split(".")[0]) < 26) {
      await following.untilSeen(1);
      assert.deepEqual(following.reported("etcd.disconnected"), []);
    } else {
      const { code, message } = await untilDenied(following);
      assert.equal(code, "ETCD_DENIED");
      assert.match(message, /put a host name into etcd\.endpoints/);
    }
  });

  it("is refused as a matter of trust where its certificate is for another name", async (t) => {
    const { start } = await useClient(t, ["elsewhere.local"]);

    const following = start();
    const denied = await until("TLS fails", () =>
      following.reported("etcd.disconnected").find(({ code }) => code === "ETCD_DENIED"),
    );

    assert.match(denied.message, /certificate.*etcd\.tls/);
  });

  it("says that it does not take the client's certificate", async (t) => {
    const { etcd, folder, start } = await useClient(t);
    const stranger = await createAuthority("Stranger");
    const tls = await writeFiles(
      folder,
      "client",
      etcd.authority,
      await stranger.issue(["root", "127.0.0.1"]),
    );

    const denied = await untilDenied(start({ tls }));

    assert.equal(denied.code, "ETCD_DENIED");
    assert.match(denied.message, /etcd\.tls/);
  });

  it("says that it wants a client certificate where none is configured", async (t) => {
    const { etcd, start } = await useClient(t);

    const denied = await untilDenied(start({ tls: { caFile: etcd.tls.caFile } }));

    assert.equal(denied.code, "ETCD_DENIED");
    assert.match(denied.message, /^no TLS with etcd at .*; check etcd\.tls.*$/);
    assert.doesNotMatch(denied.message, /Resolution note|Last error/);
  });

  it("is a matter of configuration where a file is not PEM, told in one line", async (t) => {
    const { etcd, folder, start } = await useClient(t);
    const { authority } = etcd;
    const credential = await authority.issue(["root", "127.0.0.1"]);
    const tls = await writeFiles(folder, "client", authority, { ...credential, certificatePem: "not PEM" });

    const denied = await untilDenied(start({ tls }));

    assert.equal(denied.code, "ETCD_DENIED");
    assert.match(denied.message, /^no TLS with etcd at https:\/\/[\w.:]+: .*PEM.*; check etcd\.tls.*$/);
  });

  it("is connected to again after the files were caught half replaced", async (t) => {
    const { etcd, folder, start } = await useClient(t);
    const { authority } = etcd;
    const [first, second] = [
      await authority.issue(["root", "127.0.0.1"]),
      await authority.issue(["root", "127.0.0.1"]),
    ];
    const torn = { ...first, privateKeyPem: second.privateKeyPem };
    const tls = await writeFiles(folder, "client", authority, torn);

    const following = start({ tls });
    const denied = await untilDenied(following);
    await writeFiles(folder, "client", authority, second);
    await following.untilSeen(1);

    assert.equal(denied.code, "ETCD_DENIED");
    assert.doesNotMatch(JSON.stringify(following.events), /PRIVATE KEY/);
  });

  it("is not waited for without end where it accepts and stays silent", async (t) => {
    const { etcd, start } = await useClient(t);
    const proxy = await useTcpProxy(t, Number(new URL(etcd.endpoint).port));
    await proxy.set("silent");

    const following = start({ endpoints: [withTls(proxy.endpoint)] });
    await until("it gave up two", () => following.reported("etcd.disconnected").length >= 2);
    await proxy.set("pass");
    await following.untilSeen(1);
    await following.stop();

    await until("every socket is gone", () => proxy.open === 0);
  });
});

describe("a scheme that is wrong", () => {
  it("is hinted at where TLS is asked of an etcd that does not speak it, and the other way round", async (t) => {
    const [plain, { etcd, start }] = await Promise.all([useEtcd(t), useClient(t)]);

    const failures = [
      await untilDenied(start({ endpoints: [withTls(plain.endpoint)] })),
      await untilDenied(follow(t, { access: { endpoints: [etcd.endpoint.replace("https:", "http:")] } })),
    ];

    for (const { code, message } of failures) {
      assert.equal(code, "ETCD_UNAVAILABLE");
      // Where the link is reset before it is closed, there is nothing to tell it from a broken network.
      assert.match(message, /endpoint's scheme|ECONNRESET/);
    }
  });

  it("is a matter of configuration where client certificates are given for http", async (t) => {
    const { etcd, start } = await useClient(t);

    const failed = await untilDenied(start({ endpoints: [etcd.endpoint.replace("https:", "http:")] }));

    assert.equal(failed.code, "CONFIG_INVALID");
    assert.match(failed.message, /etcd\.tls.*https/);
  });
});

async function useClient(t: TestContext, serverNames?: readonly string[]) {
  const [etcd, folder] = await Promise.all([useTlsEtcd(t, serverNames), useFolder(t)]);
  const start = (access: Partial<EtcdAccess> = {}): Following => {
    const { endpoint, tls } = etcd;
    return follow(t, { access: { endpoints: [endpoint], tls, ...access }, clock: hurriedClock(5) });
  };
  return { etcd, folder, start };
}

/** The same port over TLS, by name: on Node 26 grpc-js cannot use an IP address. */
function withTls(endpoint: string): string {
  return endpoint.replace("http://127.0.0.1", "https://localhost");
}

function untilDenied(following: Following) {
  return until("it is refused", () => following.reported("etcd.disconnected")[0]);
}

/** Turns authentication on: etcd takes the common name of a client certificate for the user. */
async function addReaders({ ctl }: TlsEtcd): Promise<void> {
  await ctl("user", "add", "root:root-password");
  await ctl("role", "add", "root");
  await ctl("user", "grant-role", "root", "root");
  await ctl("role", "add", "reader");
  await ctl("role", "grant-permission", "reader", "read", "/certs/", "--prefix");
  for (const name of ["reader-1", "reader-2"]) {
    await ctl("user", "add", `${name}:any`);
    await ctl("user", "grant-role", name, "reader");
  }
  await ctl("auth", "enable");
}
