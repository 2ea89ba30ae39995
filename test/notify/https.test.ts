/** Hooks to `https:` addresses, delivered by a process of their own: no certificate of a service may end it. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { describe, it, type TestContext } from "node:test";
import { fileURLToPath } from "node:url";
import type { ServiceAnswer } from "../../src/core/service.ts";
import { useFolder } from "../support/folder.ts";
import { ecKey, type Minted, mint, mintAuthority, type Wish } from "../support/mint.ts";

const PROGRAM = fileURLToPath(new URL("./https-program.ts", import.meta.url));
const NAMES = ["localhost"];
const ROOT = mintAuthority("Hook Root");

describe("an https hook", () => {
  for (const curve of ["brainpoolP256r1", "secp256k1"]) {
    it(`is delivered to a service whose certificate comes from a root on ${curve}`, async (t) => {
      const root = mintAuthority("Odd Root", { key: ecKey(curve) });
      const service = await useService(t, [mint({ issuer: root, names: NAMES })]);
      assert.deepEqual(await tell(t, root, service.url), { kind: "done" });
      assert.equal(service.hooks(), 1);
    });

    it(`is delivered, or fails for a reason, where an intermediate is on ${curve}`, async (t) => {
      const issuer = mintAuthority("Odd Intermediate", { issuer: ROOT, key: ecKey(curve) });
      const { url } = await useService(t, [mint({ issuer, names: NAMES }), issuer]);
      const answer = await tell(t, ROOT, url);
      t.diagnostic(JSON.stringify(answer));
      assert.ok(answer.kind === "done" || answer.kind === "busy");
    });

    it(`is delivered, or fails for a reason, where the leaf is on ${curve}`, async (t) => {
      const { url } = await useService(t, [mint({ issuer: ROOT, key: ecKey(curve), names: NAMES })]);
      const answer = await tell(t, ROOT, url);
      t.diagnostic(JSON.stringify(answer));
      assert.ok(answer.kind === "done" || answer.kind === "busy");
    });
  }
});

describe("the certificate of an https hook", () => {
  for (const [what, host, wish] of [
    ["has its name", "localhost", { names: ["other.local", "localhost"] }],
    ["has its address", "127.0.0.1", { names: ["127.0.0.1"] }],
    [
      "has its name, and no other kind of name, as its common name",
      "localhost",
      { subject: "localhost", names: null },
    ],
  ] as readonly (readonly [string, string, Wish])[]) {
    it(`is taken where it ${what}`, async (t) => {
      const { url } = await useService(t, [mint({ issuer: ROOT, ...wish })], host);
      assert.deepEqual(await tell(t, ROOT, url), { kind: "done" });
    });
  }

  for (const [what, host, wish] of [
    ["another name", "localhost", { names: ["other.local"] }],
    ["another address", "127.0.0.1", { names: ["127.0.0.2"] }],
    ["its address as a name", "127.0.0.1", { subject: "127.0.0.1", names: ["localhost"] }],
    [
      "its name as the common name beside another name",
      "localhost",
      { subject: "localhost", names: ["other.local"] },
    ],
    ["no name", "localhost", { subject: "", names: null }],
  ] as readonly (readonly [string, string, Wish])[]) {
    it(`is refused where it has ${what}, and nothing is sent`, async (t) => {
      const service = await useService(t, [mint({ issuer: ROOT, ...wish })], host);
      assert.deepEqual(await tell(t, ROOT, service.url), broken(service.url, "ERR_TLS_CERT_ALTNAME_INVALID"));
      assert.equal(service.hooks(), 0);
    });
  }

  it("is refused where its root is not trusted, and nothing is sent", async (t) => {
    const service = await useService(t, [mint({ issuer: mintAuthority("Other Root"), names: NAMES })]);
    const answer = await tell(t, ROOT, service.url);
    assert.deepEqual(answer, broken(service.url, "UNABLE_TO_VERIFY_LEAF_SIGNATURE"));
    assert.equal(service.hooks(), 0);
  });
});

function broken(url: string, code: string) {
  const what = `vllm broke off the connection (${code}) on ${url}`;
  return { kind: "busy", message: `${what} (attempt 1 of 1)` };
}

/** A service that takes hooks over TLS. */
async function useService(t: TestContext, chain: readonly [Minted, ...Minted[]], host = "localhost") {
  const cert = chain.map(({ pem }) => pem).join("");
  let hooks = 0;
  const server = createServer({ cert, key: chain[0].keyPem }, (_request, respond) => {
    hooks++;
    respond.writeHead(204).end();
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => {
    server.close();
    server.closeAllConnections();
  });
  const { port } = server.address() as AddressInfo;
  return { url: `https://${host}:${port}/-/reload`, hooks: () => hooks };
}

/** Delivers a hook from a process that trusts the root as well. */
async function tell(t: TestContext, root: Minted, url: string): Promise<ServiceAnswer> {
  const file = join(await useFolder(t), "root.pem");
  await writeFile(file, root.pem);
  const child = spawn(process.execPath, ["--import", "tsx", PROGRAM, url], {
    env: { ...process.env, NODE_EXTRA_CA_CERTS: file },
    stdio: ["ignore", "pipe", "inherit"],
  });
  const [printed, [code, signal]] = await Promise.all([text(child.stdout), once(child, "exit")]);
  assert.deepEqual({ code, signal }, { code: 0, signal: null });
  return JSON.parse(printed);
}
