/** Hooks as the daemon sends them, to servers of the kinds that programs have. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import { createServer, type RequestListener } from "node:http";
import { type AddressInfo, connect } from "node:net";
import { describe, it, type TestContext } from "node:test";
import express from "express";
import { fastify } from "fastify";
import type { ServiceAnswer } from "../../src/core/service.ts";
import type { BundleSource } from "../../src/hot-swap/bundle-source.ts";
import { type ReloadHook, reloadHook } from "../../src/hot-swap/reload-hook.ts";
import { notifyHttp } from "../../src/notify/http-hook.ts";
import { systemClock } from "../../src/runtime/clock.ts";
import { useFolder } from "../support/folder.ts";
import { forgeGeneration, readCurrent } from "../support/forged-generation.ts";
import { type Turned, useSource, useTurningBundle } from "../support/turning-bundle.ts";
import { writeSecret } from "../support/webhook-secret.ts";

/** No look by itself. */
const NEVER_MS = 3_600_000;

async function setUp(t: TestContext) {
  const bundle = await useTurningBundle(t);
  await bundle.turn();
  const source = await useSource(t, bundle.dir, { lookEveryMs: NEVER_MS });
  const { secret, secretFile } = await writeSecret(await useFolder(t));
  return { bundle, source, secret, secretFile };
}

/** Listens on a port of its own until the test is over; gives the URL of the hook. */
async function listen(t: TestContext, listener: RequestListener): Promise<string> {
  const server = createServer(listener).listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => {
    server.close();
    server.closeAllConnections();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/-/reload`;
}

/** Tells it as the daemon does, once. */
function tell(url: string, { generation }: Turned, secretFile?: string): Promise<ServiceAnswer> {
  const hook = {
    service: "inference",
    node: "gpu-017",
    userAgent: "keyturn/test",
    url,
    method: "POST",
  } as const;
  const tools = { clock: systemClock, report: () => undefined };
  const paths = { dir: "", cert: null, key: null, combined: null, ca: null, crl: null };
  return notifyHttp(
    { ...hook, ...tools, timeoutMs: 20_000, attempts: 1, secretFile },
    { generation, paths, reason: "rotated" },
    new AbortController().signal,
  );
}

/** Programs that take hooks. */
const PROGRAMS: readonly (readonly [string, (t: TestContext, hook: ReloadHook) => Promise<string>])[] = [
  ["node:http", (t, hook) => listen(t, hook)],
  ["Express", (t, hook) => listen(t, express().post("/-/reload", hook))],
  [
    "Express, where bodies are parsed as text",
    (t, hook) => listen(t, express().use(express.text({ type: "*/*" }), hook)),
  ],
  [
    "Express, where bodies are left raw",
    (t, hook) => listen(t, express().use(express.raw({ type: "*/*" }), hook)),
  ],
  [
    "Fastify",
    async (t, hook) => {
      const app = fastify();
      app.register(hook.fastify, { path: "/-/reload" });
      t.after(() => app.close());
      return `${await app.listen({ port: 0, host: "127.0.0.1" })}/-/reload`;
    },
  ],
];

for (const [what, start] of PROGRAMS) {
  describe(`a hook in ${what}`, () => {
    it("is answered when what it tells of is in place", async (t) => {
      const { bundle, source, secretFile } = await setUp(t);
      const url = await start(t, reloadHook(source, { secretFile }));
      for (let turn = 0; turn < 3; turn++) {
        const turned = await bundle.turn();
        assert.deepEqual(await tell(url, turned, secretFile), { kind: "done" });
        assert.equal(source.current.generation, turned.generation.id);
      }
    });

    it("is refused where it is not signed, or with another secret", async (t) => {
      const { bundle, source, secret } = await setUp(t);
      const url = await start(t, reloadHook(source, { secret }));
      const other = await writeSecret(await useFolder(t));
      const turned = await bundle.turn();
      for (const secretFile of [undefined, other.secretFile]) {
        const answer = await tell(url, turned, secretFile);
        assert.ok(answer.kind === "failed" && answer.message.includes("401"), JSON.stringify(answer));
      }
    });
  });
}

describe("a hook", () => {
  it("is proven by the secret that is in the file now", async (t) => {
    const { bundle, source, secretFile } = await setUp(t);
    const url = await listen(t, reloadHook(source, { secretFile }));
    const newer = await writeSecret(await useFolder(t));
    const turned = await bundle.turn();
    assert.equal((await tell(url, turned, newer.secretFile)).kind, "failed");

    await writeFile(secretFile, newer.secret);

    assert.equal((await tell(url, turned, newer.secretFile)).kind, "done");
  });

  it("is to be tried again where the secret cannot be read, and the secret is not shown", async (t) => {
    const { bundle, source, secretFile } = await setUp(t);
    const url = await listen(t, reloadHook(source, { secretFile: `${secretFile}.none` }));
    const answer = await tell(url, await bundle.turn(), secretFile);
    assert.ok(answer.kind === "busy" && answer.message.includes("503"), JSON.stringify(answer));

    const broken = await listen(t, reloadHook(source, { secret: "whsec_nöbase64" }));
    const response = await fetch(broken, { method: "POST", body: "{}" });
    assert.doesNotMatch(await response.text(), /base64/);
  });

  it("says no for good where the generation cannot be used: the daemon goes back", async (t) => {
    const { bundle, source } = await setUp(t);
    const url = await listen(t, reloadHook(source, { unsigned: true }));
    const turned = await bundle.turn();
    await forgeGeneration(bundle.dir, "000900-00000000", {
      "tls.crt": await readCurrent(bundle.dir, "tls.crt"),
    });
    const answer = await tell(url, turned);
    assert.ok(answer.kind === "failed" && answer.message.includes("422"), JSON.stringify(answer));
  });

  it("is to be tried again where another generation is current than it tells of", async (t) => {
    const { bundle, source } = await setUp(t);
    const url = await listen(t, reloadHook(source, { unsigned: true }));
    const [turned] = [await bundle.turn(), await bundle.turn()];
    const answer = await tell(url, turned);
    assert.ok(answer.kind === "busy" && answer.message.includes("503"), JSON.stringify(answer));
  });

  it("is for the bundle it names, of those that are followed", async (t) => {
    const [chat, mesh, other] = await Promise.all([
      useTurningBundle(t, "chat"),
      useTurningBundle(t, "mesh"),
      useTurningBundle(t, "other"),
    ]);
    const sources: BundleSource[] = [];
    for (const { dir, turn } of [chat, mesh]) {
      await turn();
      sources.push(await useSource(t, dir, { lookEveryMs: NEVER_MS }));
    }
    const url = await listen(t, reloadHook(sources, { unsigned: true }));

    const turned = await mesh.turn();
    assert.equal((await tell(url, turned)).kind, "done");
    assert.equal(sources[1]?.current.generation, turned.generation.id);
    const answer = await tell(url, await other.turn());
    assert.ok(answer.kind === "failed" && answer.message.includes("404"), JSON.stringify(answer));
  });

  for (const [what, init, status] of [
    ["another method", {}, 405],
    ["a body that is no hook", { method: "POST", body: '{"data":{}}' }, 400],
    ["a body that is no JSON", { method: "POST", body: "-" }, 400],
    ["a body of more than a hook can have", { method: "POST", body: "x".repeat(2 << 20) }, 400],
  ] as const) {
    it(`is refused with ${status}: ${what}`, async (t) => {
      const { source } = await setUp(t);
      const response = await fetch(await listen(t, reloadHook(source, { unsigned: true })), init);
      assert.equal(response.status, status);
      assert.equal(((await response.json()) as { code: string }).code, "HOOK_INVALID");
    });
  }

  it("says what to do where a body parser ran before it", async (t) => {
    const { source } = await setUp(t);
    const url = await listen(t, express().use(express.json(), reloadHook(source, { unsigned: true })));
    const headers = { "content-type": "application/json" };
    const response = await fetch(url, { method: "POST", body: "{}", headers });
    assert.equal(response.status, 400);
    assert.match(await response.text(), /mount the hook before any body parser/);
  });

  it("harms nobody where its sender goes away in the middle", async (t) => {
    const { bundle, source } = await setUp(t);
    const url = await listen(t, reloadHook(source, { unsigned: true }));
    const socket = connect(Number(new URL(url).port), "127.0.0.1");
    socket.write("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\n{");
    await once(socket, "ready");
    socket.destroy();
    assert.equal((await tell(url, await bundle.turn())).kind, "done");
  });
});
