import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, it, type TestContext } from "node:test";
import { createProbes, type ProbeSettings } from "../../src/verify/probes.ts";
import { generationWith, untroubled, useProbeStand } from "../support/probe-stand.ts";

describe("the probes of a service", () => {
  it("look at what is served first, and then ask whether it is ready", async (t) => {
    const { service, next, tls, http, tools, expected, asked } = await useStand(t);
    service.serve(next);
    const probes = createProbes("vllm", { tls, http }, tools);
    assert.deepEqual(await probes.verify(expected, untroubled()), { kind: "done" });
    assert.deepEqual([service.connections, asked()], [3, 1]);
  });

  it("do not ask whether it is ready where it serves something else", async (t) => {
    const { tls, http, tools, expected, asked } = await useStand(t);
    const probes = createProbes("vllm", { tls, http }, tools);
    const answer = await probes.verify(expected, untroubled());
    assert.equal(answer.kind, "failed");
    assert.match(answer.message, /^vllm serves CN=old\.local/);
    assert.equal(asked(), 0);
  });

  it("have a deadline each", async (t) => {
    const { service, next, tls, http, tools, expected } = await useStand(t, 503);
    service.serve(next);
    const probes = createProbes("vllm", { tls, http: { ...http, within: 3_000 } }, tools);
    const answer = await probes.verify(expected, untroubled());
    assert.equal(answer.kind, "failed");
    assert.match(answer.message, /^vllm answers 503, not 200, on .+ after 3 s/);
  });

  it("are done where there are none", async (t) => {
    const { tools, expected } = await useStand(t);
    assert.deepEqual(await createProbes("vllm", {}, tools).verify(expected, untroubled()), { kind: "done" });
  });

  it("wait for a trust bundle until the service is ready", async (t) => {
    const { service, tls, http, tools, expected, asked } = await useStand(t);
    const probes = createProbes("vllm", { tls, http }, tools);
    assert.deepEqual(await probes.verify({ ...expected, leaf: null }, untroubled()), { kind: "done" });
    assert.deepEqual([service.connections, asked()], [0, 1]);
  });

  for (const [what, settings, isLookedAt] of [
    ["of any name", {}, true],
    ["that a pattern names", { bundles: ["inf*"] }, true],
    ["that no pattern names", { bundles: ["other", "mesh*"] }, false],
    ["that is presented by the client", { clientBundle: "inference" }, false],
    ["that is presented by the client, and a pattern", { clientBundle: "inference", bundles: ["*"] }, false],
    [
      "that is presented by the client, and named",
      { clientBundle: "inference", bundles: ["inference"] },
      true,
    ],
  ] as const) {
    it(`${isLookedAt ? "look at" : "do not look at"} a bundle ${what}, and it waits for readiness`, async (t) => {
      const { service, next, tls, http, tools, expected, asked } = await useStand(t);
      service.serve(next);
      const probes = createProbes("vllm", { tls: { ...tls, ...settings }, http }, tools);
      assert.deepEqual(await probes.verify(expected, untroubled()), { kind: "done" });
      assert.deepEqual([service.connections > 0, asked()], [isLookedAt, 1]);
      assert.equal(await probes.serves(expected, untroubled()), isLookedAt);
      assert.equal((await probes.look(expected, untroubled())) !== null, isLookedAt);
    });
  }

  for (const protocol of ["tls", "postgres"] as const) {
    it(`look by the protocol that the service speaks: ${protocol}`, async (t) => {
      const { tls, tools, expected } = await useStand(t);
      const spoken: string[] = [];
      const lookAt: typeof tools.lookAt = (look, signal) => {
        spoken.push(look.protocol);
        return tools.lookAt(look, signal);
      };
      await createProbes("db", { tls: { ...tls, protocol } }, { ...tools, lookAt }).look(
        expected,
        untroubled(),
      );
      assert.deepEqual(spoken, [protocol]);
    });
  }

  it("say whether a generation is served, ready or not", async (t) => {
    const { tls, http, tools, expected, old, asked } = await useStand(t, 503);
    const probes = createProbes("vllm", { tls, http }, tools);
    assert.equal(await probes.serves(expected, untroubled()), false);
    assert.equal(await probes.serves(generationWith(old), untroubled()), true);
    assert.equal(asked(), 0);
  });

  it("cannot say so where only readiness is asked for", async (t) => {
    const { http, tools, expected } = await useStand(t);
    const probes = createProbes("vllm", { http }, tools);
    assert.deepEqual(await probes.verify(expected, untroubled()), { kind: "done" });
    assert.equal(await probes.serves(expected, untroubled()), false);
  });

  it("look once without a word where they are asked to", async (t) => {
    const { service, tls, tools, expected, events } = await useStand(t);
    const looked = await createProbes("vllm", { tls }, tools).look(expected, untroubled());
    assert.deepEqual(
      [looked?.verdict.kind, looked?.event.reason, service.connections, events.length],
      ["differs", "wrong_cert", 1, 0],
    );
  });
});

/** The stand of one probe, with a health endpoint beside it and settings as the configuration has them. */
async function useStand(t: TestContext, status = 200) {
  const stand = await useProbeStand(t);
  let asked = 0;
  const server = createServer((_, respond) => {
    asked++;
    respond.writeHead(status).end();
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => {
    server.close();
    server.closeAllConnections();
  });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/health`;
  const address = { host: "127.0.0.1", port: stand.service.port };
  const settings = {
    tls: { address, within: 10_000, connections: 3 },
    http: { url, expect: 200, within: 10_000 },
  } satisfies ProbeSettings;
  return { ...stand, ...settings, asked: () => asked };
}
