import assert from "node:assert/strict";
import { describe, it, type TestContext } from "node:test";
import { Webhook } from "standardwebhooks";
import type { DaemonEvent } from "../../src/core/events.ts";
import { type Expiring, notifyRenewal } from "../../src/notify/renewal.ts";
import { useFolder } from "../support/folder.ts";
import { useHookReceiver } from "../support/hook-receiver.ts";
import { generationOf } from "../support/notice.ts";
import { patientClock } from "../support/patient-clock.ts";
import { writeSecret } from "../support/webhook-secret.ts";

const { name, id, leaf } = generationOf();

function expiring(remainingMs: number, threshold = "7d"): Expiring {
  assert.ok(leaf);
  return { type: "certificate.expiring", bundle: name, generation: id, leaf, threshold, remainingMs };
}

async function setUp(t: TestContext, statuses: readonly number[] = []) {
  const { secret, secretFile } = await writeSecret(await useFolder(t));
  const answers = [...statuses];
  const receiver = await useHookReceiver(t, {
    answer: (_hook, respond) => void respond.writeHead(answers.shift() ?? 204).end(),
  });
  const events: DaemonEvent[] = [];
  const options = {
    service: "renewal",
    node: "gpu-017",
    userAgent: "keyturn/test",
    url: receiver.url,
    method: "POST",
    timeoutMs: 20_000,
    attempts: 3,
    secretFile,
    clock: patientClock(),
    report: (event: DaemonEvent) => void events.push(event),
  } as const;
  const tell = (event: Expiring) => notifyRenewal(options, event, new AbortController().signal);
  return { receiver, events, secret, tell };
}

describe("the renewal hook", () => {
  it("says which certificate nears its end, and how near it is", async (t) => {
    const { receiver, tell } = await setUp(t);
    assert.deepEqual(await tell(expiring(604_799_999)), { kind: "done" });
    const { timestamp, ...event } = JSON.parse(receiver.hooks[0]?.body ?? "");
    assert.equal(new Date(timestamp).toISOString(), timestamp);
    assert.deepEqual(event, {
      type: "certificate.expiring",
      data: {
        bundle: "inference",
        node: "gpu-017",
        threshold: "7d",
        remainingSeconds: 604_799,
        generation: id,
        leaf,
      },
    });
  });

  it("has less than nothing left once it has expired", async (t) => {
    const { receiver, tell } = await setUp(t);
    await tell(expiring(-90_000, "0s"));
    const { data } = JSON.parse(receiver.hooks[0]?.body ?? "");
    assert.deepEqual([data.threshold, data.remainingSeconds], ["0s", -90]);
  });

  it("is signed like any hook", async (t) => {
    const { receiver, secret, tell } = await setUp(t);
    await tell(expiring(1_000));
    const [hook] = receiver.hooks;
    assert.ok(hook);
    assert.deepEqual(
      new Webhook(secret).verify(hook.body, hook.headers as Record<string, string>),
      hook.event,
    );
  });

  it("is tried again, and each attempt is reported", async (t) => {
    const { receiver, events, tell } = await setUp(t, [503, 503]);
    assert.deepEqual(await tell(expiring(1_000)), { kind: "done" });
    assert.equal(receiver.hooks.length, 3);
    assert.deepEqual(
      events.map((event) => event.type === "hook.attempted" && [event.service, event.bundle, event.result]),
      [
        ["renewal", "inference", "busy"],
        ["renewal", "inference", "busy"],
        ["renewal", "inference", "delivered"],
      ],
    );
  });

  it("that is refused has failed", async (t) => {
    const { tell } = await setUp(t, [403]);
    assert.equal((await tell(expiring(1_000))).kind, "failed");
  });
});
