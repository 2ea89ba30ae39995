/** An etcd whose certificate comes from a root on a curve without a NIST name, which ends some versions of Node. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import { createSecureServer, type Http2Session } from "node:http2";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { describe, it, type TestContext } from "node:test";
import { useDaemon } from "../support/daemon.ts";
import { useFolder } from "../support/folder.ts";
import { ecKey, type Minted, mint, mintAuthority } from "../support/mint.ts";
import { until } from "../support/wait.ts";

describe("the daemon, where the root of etcd's certificate is on an odd curve,", () => {
  for (const curve of ["brainpoolP256r1", "secp256k1"]) {
    it(`goes on, and speaks with it: ${curve}`, async (t) => {
      const root = mintAuthority("Odd Root", { key: ecKey(curve) });
      const { etcd, calls } = await useNearlyEtcd(t, mint({ issuer: root, names: ["localhost"] }));
      const daemon = await useDaemonOf(t, etcd, root);
      await until("it calls", () => calls() > 0);
      await until("it says what it is answered", () => daemon.log.find(isRefusal));
      assert.equal(await daemon.stop(), 0);
    });
  }

  it("still compares names", async (t) => {
    const root = mintAuthority("Odd Root", { key: ecKey("brainpoolP256r1") });
    const { etcd, calls } = await useNearlyEtcd(t, mint({ issuer: root, names: ["other.local"] }));
    const daemon = await useDaemonOf(t, etcd, root);
    await until("it says that there is no link", () =>
      daemon.log.find(({ msg }) => msg === "no link to etcd"),
    );
    assert.equal(calls(), 0);
    assert.equal(await daemon.stop(), 0);
  });
});

function isRefusal(line: object): boolean {
  return JSON.stringify(line).includes("UNIMPLEMENTED");
}

async function useDaemonOf(t: TestContext, etcd: string, root: Minted) {
  const folder = await useFolder(t);
  const caFile = join(folder, "root.pem");
  await writeFile(caFile, root.pem);
  return useDaemon(t, folder, { etcd: { endpoints: [etcd], tls: { caFile } } });
}

/** What etcd is as far as TLS goes; a real one would not load such a root. It answers every call UNIMPLEMENTED. */
async function useNearlyEtcd(t: TestContext, leaf: Minted) {
  let calls = 0;
  const sessions = new Set<Http2Session>();
  const server = createSecureServer({ cert: leaf.pem, key: leaf.keyPem });
  server.on("session", (session) => sessions.add(session));
  server.on("stream", (stream) => {
    calls++;
    stream.on("error", () => undefined);
    stream.respond(
      { ":status": 200, "content-type": "application/grpc", "grpc-status": "12" },
      { endStream: true },
    );
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => {
    server.close();
    for (const session of sessions) session.destroy();
  });
  return { etcd: `https://localhost:${(server.address() as AddressInfo).port}`, calls: () => calls };
}
