import assert from "node:assert/strict";
import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, it } from "node:test";
import { inspect } from "node:util";
import { Webhook } from "standardwebhooks";
import { useFolder } from "../support/folder.ts";
import { hookOf } from "../support/hook.ts";
import { useHookReceiver } from "../support/hook-receiver.ts";
import { generationOf } from "../support/notice.ts";
import { writeSecret } from "../support/webhook-secret.ts";

describe("a hook", () => {
  it("says what was rotated, as DESIGN has it", async (t) => {
    const receiver = await useHookReceiver(t);
    await hookOf(receiver.url).deliver();
    const { timestamp, ...event } = JSON.parse(receiver.hooks[0]?.body ?? "");
    const { id, digest, revision, leaf } = generationOf();
    assert.equal(new Date(timestamp).toISOString(), timestamp);
    assert.deepEqual(event, {
      type: "certificate.rotated",
      data: {
        bundle: "inference",
        node: "gpu-017",
        reason: "rotated",
        digest,
        revision,
        generation: id,
        leaf,
        paths: {
          dir: "/var/lib/keyturn/inference",
          cert: "/var/lib/keyturn/inference/tls.crt",
          key: "/var/lib/keyturn/inference/tls.key",
          combined: "/var/lib/keyturn/inference/tls.pem",
          ca: "/var/lib/keyturn/inference/ca.crt",
          crl: null,
        },
      },
    });
  });

  it("is JSON, and says who sends it", async (t) => {
    const receiver = await useHookReceiver(t);
    await hookOf(receiver.url).deliver();
    const { headers } = receiver.hooks[0] ?? {};
    assert.deepEqual(
      [headers?.["content-type"], headers?.["user-agent"]],
      ["application/json", "keyturn/test"],
    );
  });

  it("is sent with the method of its configuration", async (t) => {
    const methods: (string | undefined)[] = [];
    const receiver = await useHookReceiver(t, {
      answer: (_hook, respond) => {
        methods.push(respond.req.method);
        respond.end();
      },
    });
    await hookOf(receiver.url, { method: "PUT" }).deliver();
    assert.deepEqual(methods, ["PUT"]);
  });

  it("has no signature where no secret is set", async (t) => {
    const receiver = await useHookReceiver(t);
    await hookOf(receiver.url).deliver();
    assert.equal(receiver.hooks[0]?.headers["webhook-signature"], undefined);
  });

  it("has one id for all its attempts", async (t) => {
    const receiver = await useHookReceiver(t, {
      answer: (_hook, respond) => void respond.writeHead(503).end(),
    });
    await hookOf(receiver.url).deliver();
    const ids = receiver.hooks.map(({ headers }) => headers["webhook-id"]);
    assert.deepEqual([ids.length, new Set(ids).size], [3, 1]);
  });

  it("has an id of its own for each delivery", async (t) => {
    const receiver = await useHookReceiver(t);
    const hook = hookOf(receiver.url);
    await hook.deliver();
    await hook.deliver();
    assert.equal(new Set(receiver.hooks.map(({ headers }) => headers["webhook-id"])).size, 2);
  });
});

describe("the signature of a hook", () => {
  it("is accepted by the Standard Webhooks library", async (t) => {
    const receiver = await useHookReceiver(t);
    const { secret, secretFile } = await writeSecret(await useFolder(t));
    await hookOf(receiver.url, { secretFile }).deliver();
    const { body, headers, event } = received(receiver);
    assert.deepEqual(new Webhook(secret).verify(body, headers), event);
  });

  it("is accepted for every attempt", async (t) => {
    const receiver = await useHookReceiver(t, {
      answer: (_hook, respond) => void respond.writeHead(500).end(),
    });
    const { secret, secretFile } = await writeSecret(await useFolder(t));
    await hookOf(receiver.url, { secretFile }).deliver();
    const verify = (index: number) => {
      const { body, headers } = received(receiver, index);
      new Webhook(secret).verify(body, headers);
    };
    for (const index of [0, 1, 2]) assert.doesNotThrow(() => verify(index));
  });

  for (const [what, change] of [
    ["body", (body: string) => [body.replace("inference", "interference"), {}]],
    ["id", (body: string) => [body, { "webhook-id": "msg_other" }]],
    ["time", (body: string) => [body, { "webhook-timestamp": String(Math.floor(Date.now() / 1000) - 60) }]],
  ] as const) {
    it(`is refused where the ${what} was changed`, async (t) => {
      const receiver = await useHookReceiver(t);
      const { secret, secretFile } = await writeSecret(await useFolder(t));
      await hookOf(receiver.url, { secretFile }).deliver();
      const { body, headers } = received(receiver);
      const [changed, changedHeaders] = change(body);
      assert.throws(
        () => new Webhook(secret).verify(String(changed), { ...headers, ...(changedHeaders as object) }),
        /No matching signature found/,
      );
    });
  }

  it("is made with the secret that is in the file at the time", async (t) => {
    const receiver = await useHookReceiver(t);
    const folder = await useFolder(t);
    const hook = hookOf(receiver.url, { secretFile: (await writeSecret(folder)).secretFile });
    await hook.deliver();
    const { secret } = await writeSecret(folder);
    await hook.deliver();
    const { body, headers } = received(receiver, 1);
    assert.doesNotThrow(() => new Webhook(secret).verify(body, headers));
  });
});

describe("a secret file", () => {
  it("that is missing is trouble of our own, and the file is named", async (t) => {
    const receiver = await useHookReceiver(t);
    const { secretFile } = await writeSecret(await useFolder(t));
    await rm(secretFile);
    assert.deepEqual(await hookOf(receiver.url, { secretFile }).deliver(), {
      kind: "busy",
      message: `vllm: cannot read secretFile ${secretFile}: ENOENT: no such file or directory, open '${secretFile}'`,
    });
    assert.equal(receiver.hooks.length, 0);
  });

  for (const [what, text] of [
    ["has no prefix", Buffer.alloc(32, 1).toString("base64")],
    ["is too short", `whsec_${Buffer.alloc(23, 1).toString("base64")}`],
    ["is too long", `whsec_${Buffer.alloc(65, 1).toString("base64")}`],
    ["is not base64", `whsec_${"A*".repeat(32)}`],
    ["is two lines", `whsec_${Buffer.alloc(24, 1).toString("base64")}\nwhsec_AAAA`],
    ["is empty", ""],
  ] as const) {
    it(`that ${what} is trouble of our own, and nothing of it is shown`, async (t) => {
      const receiver = await useHookReceiver(t);
      const secretFile = join(await useFolder(t), "secret");
      await writeFile(secretFile, text);
      assert.deepEqual(await hookOf(receiver.url, { secretFile }).deliver(), {
        kind: "busy",
        message: `vllm: ${secretFile} holds no webhook secret: expected whsec_ and the base64 of 24 to 64 random bytes`,
      });
    });
  }

  it("is never told in what is reported, also where delivery fails", async (t) => {
    const receiver = await useHookReceiver(t, {
      answer: (_hook, respond) => void respond.writeHead(400).end(),
    });
    const { secret, secretFile } = await writeSecret(await useFolder(t));
    const hook = hookOf(receiver.url, { secretFile });
    const answer = await hook.deliver();
    const told = inspect([answer, hook.attempts], { depth: 10 });
    assert.equal(hook.attempts.length, 1);
    assert.equal(told.includes(secret.slice(6, 20)), false);
  });
});

function received(receiver: Awaited<ReturnType<typeof useHookReceiver>>, index = 0) {
  const hook = receiver.hooks[index];
  assert.ok(hook);
  return { ...hook, headers: hook.headers as Record<string, string> };
}
