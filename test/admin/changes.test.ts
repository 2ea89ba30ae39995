import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { describe, it } from "node:test";
import { checkAuthority } from "../../src/admin/authority.ts";
import { KeyturnError } from "../../src/core/errors.ts";
import { type AdminAnswer, useAdmin, writeToken } from "../support/admin.ts";

const RIGHT = { authorization: "Bearer open sesame" };

describe("a request that changes something", () => {
  it("is refused where no token is configured", async (t) => {
    const { ask, calls } = await useCounted(t, undefined);
    assert.deepEqual(refusalOf(await ask("POST", "/-/reload", RIGHT)), [403, "FORBIDDEN"]);
    assert.deepEqual(calls, []);
  });

  for (const [what, text] of [
    ["is empty", " \n"],
    ["is missing", undefined],
  ] as const) {
    it(`is refused where the token file ${what}`, async (t) => {
      const file = text === undefined ? "/nonexistent/token" : await writeToken(t, text);
      const { ask } = await useCounted(t, file);
      assert.deepEqual(refusalOf(await ask("POST", "/-/reload", { authorization: "Bearer " })), [
        403,
        "FORBIDDEN",
      ]);
    });
  }

  for (const [what, headers] of [
    ["no token", {}],
    ["another scheme", { authorization: "Basic open sesame" }],
    ["nothing after Bearer", { authorization: "Bearer" }],
    ["another token", { authorization: "Bearer open barley" }],
    ["the start of the token", { authorization: "Bearer open" }],
    ["more than the token", { authorization: "Bearer open sesame!" }],
  ] as readonly (readonly [string, Record<string, string>])[]) {
    it(`is refused with ${what}, and says how to ask`, async (t) => {
      const { ask, calls } = await useCounted(t, await writeToken(t));
      const answer = await ask("POST", "/-/reload", headers);
      assert.deepEqual(
        [...refusalOf(answer), answer.headers["www-authenticate"]],
        [401, "UNAUTHORIZED", "Bearer"],
      );
      assert.deepEqual([calls, answer.body.includes("sesame")], [[], false]);
    });
  }

  it("is done with the token, and says so when it is done", async (t) => {
    const { ask, calls } = await useCounted(t, await writeToken(t));
    const { status, body } = await ask("POST", "/-/reload", RIGHT);
    assert.deepEqual([status, JSON.parse(body), calls], [200, { done: true }, ["reload"]]);
  });

  it("may be a resync, which goes on afterwards", async (t) => {
    const { ask, calls } = await useCounted(t, await writeToken(t));
    const { status } = await ask("POST", "/-/resync", RIGHT);
    assert.deepEqual([status, calls], [202, ["resync"]]);
  });

  it("needs the token that is in the file at the time", async (t) => {
    const file = await writeToken(t);
    const { ask } = await useCounted(t, file);
    await writeFile(file, "another");
    const [old, now] = [RIGHT, { authorization: "bearer another" }];
    assert.deepEqual(
      [(await ask("POST", "/-/resync", old)).status, (await ask("POST", "/-/resync", now)).status],
      [401, 202],
    );
  });

  it("tells what is wrong with a configuration", async (t) => {
    const message = "keyturn.yaml:1:1: nodes: there is no such setting";
    const reload = () => Promise.reject(new KeyturnError("CONFIG_INVALID", message));
    const admin = await useAdmin(t, { reload, tokenFile: await fileOf(t) });
    const { status, body } = await admin.ask("POST", "/-/reload", RIGHT);
    assert.deepEqual([status, JSON.parse(body)], [422, { error: { code: "CONFIG_INVALID", message } }]);
  });

  it("tells any other failure by its code", async (t) => {
    const reload = () => Promise.reject(new KeyturnError("STORE_LOCKED", "another keyturn"));
    const admin = await useAdmin(t, { reload, tokenFile: await fileOf(t) });
    const { status, body } = await admin.ask("POST", "/-/reload", RIGHT);
    assert.deepEqual([status, JSON.parse(body).error.code], [500, "STORE_LOCKED"]);
  });
});

describe("authority", () => {
  for (const [address, allowed] of [
    ["127.0.0.1", true],
    ["127.8.8.8", true],
    ["::1", true],
    ["::ffff:127.0.0.1", true],
    ["10.0.0.1", false],
    ["::ffff:10.0.0.1", false],
    ["::10", false],
    ["12.7.0.1", false],
    ["10.127.0.1", false],
    [undefined, false],
  ] as const) {
    it(`is ${allowed ? "" : "not "}given to the token from ${address}`, async (t) => {
      const request = { socket: { remoteAddress: address }, headers: RIGHT };
      const refusal = await checkAuthority(request, await writeToken(t));
      assert.equal(refusal?.status, allowed ? undefined : 403);
    });
  }
});

async function useCounted(t: Parameters<typeof useAdmin>[0], tokenFile: string | undefined) {
  const calls: string[] = [];
  const { ask } = await useAdmin(t, {
    tokenFile: () => tokenFile,
    reload: async () => void calls.push("reload"),
    resync: () => calls.push("resync"),
  });
  return { ask, calls };
}

async function fileOf(t: Parameters<typeof useAdmin>[0]): Promise<() => string> {
  const file = await writeToken(t);
  return () => file;
}

function refusalOf({ status, body }: AdminAnswer): [number | undefined, string] {
  return [status, JSON.parse(body).error.code];
}
