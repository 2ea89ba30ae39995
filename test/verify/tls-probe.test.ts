import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { HandshakeFailure } from "../../src/core/handshake.ts";
import type { BundleName } from "../../src/core/names.ts";
import { Secret } from "../../src/core/secret.ts";
import { lookTls } from "../../src/verify/tls-look.ts";
import { servesTls, verifyTls } from "../../src/verify/tls-probe.ts";
import { manualClock } from "../support/manual-clock.ts";
import { patientClock } from "../support/patient-clock.ts";
import { generationWith, type LookedEvent, untroubled, useProbeStand } from "../support/probe-stand.ts";
import { until } from "../support/wait.ts";

describe("a service that serves the new certificate", () => {
  it("is done after as many sessions as are asked for, none of which waits", async (t) => {
    const clock = patientClock();
    const { service, next, probe, expected, tools } = await useProbeStand(t, clock);
    service.serve(next);
    assert.deepEqual(await verifyTls(probe, expected, tools, untroubled()), { kind: "done" });
    assert.deepEqual([service.connections, clock.waits.length], [3, 0]);
  });

  it("is reported once, with the name it was asked for", async (t) => {
    const { service, next, probe, expected, tools, events } = await useProbeStand(t);
    service.serve(next);
    await verifyTls(probe, expected, tools, untroubled());
    const { leaf } = expected;
    assert.deepEqual(events, [
      {
        type: "service.looked",
        service: "vllm",
        bundle: "inference",
        serverName: "next.local",
        matches: true,
        reason: null,
        message: `vllm serves CN=next.local (serial ${leaf?.serial}, valid until ${leaf?.notAfter}) on 127.0.0.1:${probe.port}`,
      },
    ]);
  });

  it("may take its time: the old one is no failure while it does", async (t) => {
    const clock = patientClock(() => {
      if (clock.waits.length === 4) service.serve(next);
    });
    const { service, next, probe, expected, tools, events } = await useProbeStand(t, clock);
    assert.deepEqual(await verifyTls(probe, expected, tools, untroubled()), { kind: "done" });
    assert.deepEqual(clock.waits, [20, 40, 80, 160]);
    assert.deepEqual(resultsOf(events), ["matches"]);
  });

  it("has to do so with every worker", async (t) => {
    const clock = patientClock(() => {
      if (clock.waits.length === 6) service.serve(next);
    });
    const { service, old, next, probe, expected, tools, events } = await useProbeStand(t, clock);
    service.serve(next, next, old);
    assert.deepEqual(await verifyTls(probe, expected, tools, untroubled()), { kind: "done" });
    assert.deepEqual([clock.waits.length, service.connections], [6, 6 * 3 + 3]);
    assert.deepEqual(resultsOf(events), ["matches"]);
  });

  it("may be away for a while, which is told", async (t) => {
    const clock = patientClock(async () => {
      if (clock.waits.length === 1) await service.close();
      if (clock.waits.length !== 8) return;
      service.serve(next);
      await service.open();
    });
    const { service, next, probe, expected, tools, events } = await useProbeStand(t, clock);
    assert.deepEqual(await verifyTls(probe, expected, tools, untroubled()), { kind: "done" });
    assert.deepEqual(resultsOf(events), ["refused", "matches"]);
  });

  it("is seen through to the end where the deadline comes between its sessions", async (t) => {
    const clock = manualClock();
    const { service, next, probe, expected, tools } = await useProbeStand(t, clock);
    service.serve(next);
    const slow = {
      ...tools,
      lookAt: (...args: Parameters<typeof tools.lookAt>) => {
        clock.advance(8_000);
        return tools.lookAt(...args);
      },
    };
    assert.deepEqual(await verifyTls(probe, expected, slow, untroubled()), { kind: "done" });
  });

  it("need not be judged where the bundle brings no anchors", async (t) => {
    const { service, next, probe, expected, tools } = await useProbeStand(t);
    service.serve({ chain: next.leaf.certificatePem, key: next.key });
    for (const trust of [null, { anchors: "", crls: [] }]) {
      const untrusting = { ...tools, trustOf: async () => trust };
      assert.deepEqual(await verifyTls(probe, expected, untrusting, untroubled()), { kind: "done" });
    }
  });
});

describe("a service that does not serve the new certificate", () => {
  it("failed with what it serves, what it should, and on how many connections", async (t) => {
    const { service, old, probe, expected, tools, events } = await useProbeStand(t);
    const answer = await verifyTls(probe, expected, tools, untroubled());
    const was = generationWith(old).leaf;
    const { leaf } = expected;
    const seen =
      `vllm serves CN=old.local (serial ${was?.serial}, valid until ${was?.notAfter}) on 127.0.0.1:${probe.port}, ` +
      `not CN=next.local (serial ${leaf?.serial}, valid until ${leaf?.notAfter})`;
    const share = `${service.connections} of ${service.connections} connections in 10 s went wrong`;
    const advice = "see that it reads its files again when it is told, and the right ones";
    assert.deepEqual(answer, { kind: "failed", message: `${seen}; ${share}; ${advice}` });
    assert.deepEqual(
      events.map(({ reason, message }) => [reason, message]),
      [["wrong_cert", seen]],
    );
  });

  it("is looked at once more when its time is over", async (t) => {
    const clock = patientClock();
    const { service, probe, expected, tools } = await useProbeStand(t, clock);
    await verifyTls({ ...probe, withinMs: 300 }, expected, tools, untroubled());
    assert.deepEqual(clock.waits, [20, 40, 80, 160]);
    assert.equal(service.connections, 5);
  });

  it("failed where one worker of two is left behind", async (t) => {
    const { service, old, next, probe, expected, tools, events } = await useProbeStand(t);
    service.serve(old, next);
    const answer = await verifyTls(probe, expected, tools, untroubled());
    const all = service.connections;
    assert.equal(answer.kind, "failed");
    assert.match(answer.message, new RegExp(`; ${Math.ceil(all / 2)} of ${all} connections in 10 s`));
    assert.deepEqual(resultsOf(events), ["wrong_cert"]);
  });

  it("is told of with each certificate that comes up, once", async (t) => {
    const clock = patientClock(() => {
      service.serve(clock.waits.length % 2 === 0 ? old : third);
    });
    const { service, pki, old, probe, expected, tools, events } = await useProbeStand(t, clock);
    const third = await pki.make("third.local");
    const answer = await verifyTls(probe, expected, tools, untroubled());
    assert.equal(answer.kind, "failed");
    const ending = clock.waits.length % 2 === 0 ? ["third", "old"] : ["third"];
    assert.deepEqual(
      events.map(({ message }) => /CN=(\w+)/.exec(message)?.[1]),
      ending,
    );
  });

  it("is told of a few times only, where each session gets another certificate", async (t) => {
    const { probe, expected, tools, events } = await useProbeStand(t);
    let looks = 0;
    const restless = { ...tools, lookAt: async () => ({ ...STRANGER, fingerprint256: String(looks++) }) };
    const answer = await verifyTls(probe, expected, restless, untroubled());
    assert.equal(answer.kind, "failed");
    assert.ok(looks > 20);
    assert.equal(events.length, 8);
  });

  it("is described in one line, whatever it serves", async (t) => {
    const { probe, expected, tools, events } = await useProbeStand(t);
    const subject = `CN=x\nO=\u001b[31m${"y".repeat(1_000)}`;
    await servesTls(
      probe,
      expected,
      { ...tools, lookAt: async () => ({ ...STRANGER, subject }) },
      untroubled(),
    );
    assert.match(events[0]?.message ?? "", /^vllm serves CN=x, O=, \[31my{1,200} \(serial 0A/);
    const nameless = { ...tools, lookAt: async () => ({ ...STRANGER, subject: "" }) };
    await servesTls({ ...probe, host: "::1" }, expected, nameless, untroubled());
    assert.match(
      events[1]?.message ?? "",
      /^vllm serves a certificate without subject .+ on \[::1\]:\d+, not/,
    );
  });

  it("failed where it died over it", async (t) => {
    const clock = patientClock(() => service.close());
    const { service, probe, expected, tools, events } = await useProbeStand(t, clock);
    const answer = await verifyTls(probe, expected, tools, untroubled());
    assert.equal(answer.kind, "failed");
    assert.match(
      answer.message,
      /^vllm cannot be looked at \(refused\): 127\.0\.0\.1:\d+: .+ it may have died/,
    );
    assert.deepEqual(resultsOf(events), ["refused"]);
  });

  it("failed where it takes connections and stays silent", async (t) => {
    const { service, probe, expected, tools, events } = await useProbeStand(t);
    service.serve();
    const timeouts: number[] = [];
    const hasty = {
      ...tools,
      lookAt: (look: Parameters<typeof tools.lookAt>[0], signal: AbortSignal) => {
        timeouts.push(look.timeoutMs);
        return tools.lookAt({ ...look, timeoutMs: 50 }, signal);
      },
    };
    const answer = await verifyTls({ ...probe, withinMs: 5_000 }, expected, hasty, untroubled());
    assert.equal(answer.kind, "failed");
    assert.match(answer.message, /\(timeout\).+ 15 of 15 connections in 5 s went wrong; it may hang/);
    assert.deepEqual(resultsOf(events), ["timeout"]);
    assert.deepEqual([timeouts[0], timeouts.at(-1)], [5_000, 1_000]);
  });

  for (const [what, validForMs, reason] of [
    ["another one that has expired", -1_000, "expired_cert"],
    ["another one that is valid", 60_000_000, "wrong_cert"],
  ] as const) {
    it(`is ${reason} where it serves ${what}`, async (t) => {
      const { service, pki, probe, expected, tools, events } = await useProbeStand(t);
      const leaf = await pki.intermediate.issue(["other.local"], validForMs);
      service.serve({
        chain: leaf.certificatePem + pki.intermediate.certificatePem,
        key: leaf.privateKeyPem,
      });
      const answer = await verifyTls(probe, expected, tools, untroubled());
      assert.equal(answer.kind, "failed");
      assert.match(
        answer.message,
        validForMs < 0 ? /CN=other\.local \(serial \w+, expired at/ : /valid until/,
      );
      assert.deepEqual(resultsOf(events), [reason]);
    });
  }

  it("is unknown_ca where the intermediate is left out", async (t) => {
    const { service, next, probe, expected, tools, events } = await useProbeStand(t);
    service.serve({ chain: next.leaf.certificatePem, key: next.key });
    const answer = await verifyTls(probe, expected, tools, untroubled());
    assert.equal(answer.kind, "failed");
    assert.match(answer.message, /not accepted \(unknown_ca\): .+ see that it sends its intermediates/);
    assert.deepEqual(resultsOf(events), ["unknown_ca"]);
  });

  it("is expired_cert where the right one has expired", async (t) => {
    const { service, pki, probe, tools, events } = await useProbeStand(t);
    const leaf = await pki.intermediate.issue(["late.local"], -1_000);
    service.serve({ chain: leaf.certificatePem + pki.intermediate.certificatePem, key: leaf.privateKeyPem });
    const answer = await verifyTls(probe, generationWith({ leaf }), tools, untroubled());
    assert.equal(answer.kind, "failed");
    assert.match(answer.message, /\(expired_cert\).+put another certificate$/);
    assert.deepEqual(resultsOf(events), ["expired_cert"]);
  });
});

describe("a probe", () => {
  it("does not look for a generation without a leaf", async (t) => {
    const { service, probe, expected, tools, events } = await useProbeStand(t);
    const trustBundle = { ...expected, leaf: null };
    assert.deepEqual(await verifyTls(probe, trustBundle, tools, untroubled()), { kind: "done" });
    assert.equal(await lookTls(probe, trustBundle, tools, untroubled()), null);
    assert.deepEqual([service.connections, events.length], [0, 0]);
  });

  for (const [names, configured, expected] of [
    [["*.wild.local", "plain.local"], undefined, "plain.local"],
    [["*.wild.local"], undefined, "keyturn.wild.local"],
    [["127.0.0.1"], undefined, null],
    [["plain.local"], "mine.local", "mine.local"],
    [["plain.local"], "127.0.0.1", null],
  ] as const) {
    it(`asks for ${expected ?? "no name"} where the leaf is for ${names} and ${configured} is configured`, async (t) => {
      const { service, pki, probe, tools, events } = await useProbeStand(t);
      const bundle = await pki.make(...names);
      service.serve(bundle);
      const named = { ...probe, serverName: configured, connections: 1 };
      assert.deepEqual(await verifyTls(named, generationWith(bundle), tools, untroubled()), { kind: "done" });
      await until("the service has seen it", () => service.asked.length > 0);
      assert.deepEqual(
        service.asked.map(({ serverName }) => serverName),
        [expected],
      );
      assert.deepEqual(
        events.map(({ serverName }) => serverName),
        [expected ?? ""],
      );
    });
  }

  it("presents what is current of the client bundle, asked anew for each session", async (t) => {
    const { service, pki, next, probe, expected, tools } = await useProbeStand(t);
    service.serve(next);
    const clients = [await pki.make("a.local"), await pki.make("b.local")];
    const left = [...clients];
    const asked: string[] = [];
    const clientOf = async (name: BundleName) => {
      asked.push(name);
      const client = left.shift();
      return client === undefined ? null : { chain: client.chain, key: new Secret(client.key) };
    };
    const mutual = { ...probe, clientBundle: "mesh" as BundleName };
    assert.deepEqual(await verifyTls(mutual, expected, { ...tools, clientOf }, untroubled()), {
      kind: "done",
    });
    await until("the service has seen all", () => service.asked.length === 3);
    assert.deepEqual(asked, ["mesh", "mesh", "mesh"]);
    assert.deepEqual(
      service.asked.map(({ client }) => client),
      [...clients.map(({ leaf }) => leaf.fingerprint256), null],
    );
  });

  for (const [clientBundle, advice] of [
    [undefined, /name its bundle in verify\.tls\.clientBundle$/],
    ["mesh" as BundleName, /see that it trusts the issuer of the bundle mesh$/],
  ] as const) {
    it(`tells what to do where a client certificate of ${clientBundle ?? "nobody"} is refused`, async (t) => {
      const { probe, expected, tools } = await useProbeStand(t);
      const refused = { kind: "failed", reason: "client_cert_refused", message: "alert 116" } as const;
      const strict = { ...tools, lookAt: async () => refused };
      const answer = await verifyTls({ ...probe, clientBundle }, expected, strict, untroubled());
      assert.equal(answer.kind, "failed");
      assert.match(answer.message, advice);
    });
  }

  for (const [protocol, advice] of [
    ["tls", /see its log; PostgreSQL needs verify\.tls\.protocol: postgres$/],
    ["postgres", /see its log$/],
  ] as const) {
    it(`tells what to do where it hangs up on a look by ${protocol}`, async (t) => {
      const { probe, expected, tools } = await useProbeStand(t);
      const reset = { kind: "failed", reason: "reset", message: "the connection was closed" } as const;
      const silent = { ...tools, lookAt: async () => reset };
      const answer = await verifyTls({ ...probe, protocol }, expected, silent, untroubled());
      assert.equal(answer.kind, "failed");
      assert.match(answer.message, advice);
    });
  }

  it("ends with the signal's reason between two looks", async (t) => {
    const clock = manualClock();
    const { probe, expected, tools } = await useProbeStand(t, clock);
    const abort = new AbortController();
    const verifying = verifyTls(probe, expected, tools, abort.signal);
    const reason = new Error("newer content came");
    const rejected = assert.rejects(verifying, reason);
    await until("it waits", () => clock.sleeping.length === 1);
    abort.abort(reason);
    await rejected;
  });

  it("ends with the signal's reason within a look", async (t) => {
    const { service, probe, expected, tools } = await useProbeStand(t);
    service.serve();
    const abort = new AbortController();
    const reason = new Error("newer content came");
    const rejected = assert.rejects(verifyTls(probe, expected, tools, abort.signal), reason);
    await until("it looks", () => service.connections === 1);
    abort.abort(reason);
    await rejected;
  });
});

describe("a look, now", () => {
  it("is yes where all connections match, and reported once", async (t) => {
    const { service, next, probe, expected, tools, events } = await useProbeStand(t);
    service.serve(next);
    assert.equal(await servesTls(probe, expected, tools, untroubled()), true);
    assert.deepEqual([service.connections, resultsOf(events)], [3, ["matches"]]);
  });

  it("is no at the first that does not", async (t) => {
    const { service, old, next, probe, expected, tools, events } = await useProbeStand(t);
    service.serve(next, old, next);
    assert.equal(await servesTls(probe, expected, tools, untroubled()), false);
    assert.deepEqual([service.connections, resultsOf(events)], [2, ["wrong_cert"]]);
  });

  it("is no where nobody listens", async (t) => {
    const { service, probe, expected, tools, events } = await useProbeStand(t);
    await service.close();
    assert.equal(await servesTls(probe, expected, tools, untroubled()), false);
    assert.deepEqual(resultsOf(events), ["refused"]);
  });

  it("is no for a generation without a leaf, which cannot be seen", async (t) => {
    const { probe, expected, tools } = await useProbeStand(t);
    assert.equal(await servesTls(probe, { ...expected, leaf: null }, tools, untroubled()), false);
  });
});

const STRANGER = {
  kind: "served",
  fingerprint256: "AA",
  subject: "CN=stranger",
  serial: "0A",
  notAfter: "2031-01-01T00:00:00.000Z",
  distrust: null,
} as const;

function resultsOf(events: readonly LookedEvent[]): (HandshakeFailure | "matches" | null)[] {
  return events.map(({ matches, reason }) => (matches ? "matches" : reason));
}
