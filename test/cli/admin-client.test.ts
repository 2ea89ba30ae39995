import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, it, type TestContext } from "node:test";
import { askDaemon } from "../../src/cli/admin-client.ts";
import { NOTHING_KNOWN, useAdmin, writeToken } from "../support/admin.ts";

const STATUS = { method: "GET", path: "/status", timeoutMs: 30_000 } as const;
const RESYNC = { method: "POST", path: "/-/resync", timeoutMs: 30_000 } as const;

describe("asking the daemon", () => {
  it("gives what it answers", async (t) => {
    const listen = listenOf((await useAdmin(t)).url);
    assert.deepEqual(await askDaemon({ listen }, STATUS), {
      kind: "answer",
      body: NOTHING_KNOWN,
    });
  });

  it("reaches it on loopback where it listens on every address", async (t) => {
    const admin = await useAdmin(t, { listen: { host: "0.0.0.0", port: 0 } });
    const listen = { host: "0.0.0.0", port: Number(new URL(admin.url).port) };
    assert.equal((await askDaemon({ listen }, STATUS)).kind, "answer");
  });

  it("brings the token where something is to be changed", async (t) => {
    const tokenFile = await writeToken(t);
    const listen = listenOf((await useAdmin(t, { tokenFile: () => tokenFile })).url);
    assert.deepEqual(await askDaemon({ listen, tokenFile }, RESYNC), {
      kind: "answer",
      body: { done: true },
    });
  });

  it("does not bring the token where something is only read, nor to where it is sent on", async (t) => {
    const tokenFile = await writeToken(t);
    const tokens: unknown[] = [];
    const url = await useServer(t, (request, response) => {
      tokens.push(request.headers.authorization);
      response.writeHead(request.url === "/status" ? 200 : 307, { location: "/status" }).end("{}");
    });
    await askDaemon({ listen: listenOf(url), tokenFile }, STATUS);
    await assert.rejects(askDaemon({ listen: listenOf(url), tokenFile }, RESYNC), {
      code: "DAEMON_UNREACHABLE",
    });
    assert.deepEqual(tokens, [undefined, "Bearer open sesame"]);
  });

  it("gives the code and the message of a refusal", async (t) => {
    const tokenFile = await writeToken(t, "another");
    const right = await writeToken(t);
    const listen = listenOf((await useAdmin(t, { tokenFile: () => right })).url);
    assert.deepEqual(await askDaemon({ listen, tokenFile }, RESYNC), {
      kind: "refused",
      code: "UNAUTHORIZED",
      message: "the token is not the one of admin.tokenFile",
    });
  });

  it("says that nobody is there", async () => {
    const listen = { host: "127.0.0.1", port: 1 };
    await assert.rejects(askDaemon({ listen }, STATUS), {
      code: "DAEMON_UNREACHABLE",
      message: /^no daemon answers on http:\/\/127\.0\.0\.1:1\/status: .*ECONNREFUSED.*; is keyturn running/,
    });
  });

  it("says that it does not answer in time", async (t) => {
    const listen = listenOf(await useServer(t, () => undefined));
    await assert.rejects(askDaemon({ listen }, { ...STATUS, timeoutMs: 50 }), {
      code: "DAEMON_UNREACHABLE",
      message: /: not within 0\.05 s;/,
    });
  });

  for (const body of ["there is no /status\n", "<html>", '"text"', ""]) {
    it(`says that something else is there, where it answers ${JSON.stringify(body)}`, async (t) => {
      const url = await useServer(t, (_, response) => response.writeHead(404).end(body));
      await assert.rejects(askDaemon({ listen: listenOf(url) }, STATUS), {
        code: "DAEMON_UNREACHABLE",
        message: /\/status \(404\) is no keyturn that knows this request/,
      });
    });
  }

  it("says that the token cannot be read, before anything is asked", async () => {
    const admin = { listen: { host: "127.0.0.1", port: 1 }, tokenFile: "/nonexistent/token" };
    await assert.rejects(askDaemon(admin, RESYNC), {
      code: "CONFIG_INVALID",
      message: /^admin\.tokenFile cannot be read: .*\/nonexistent\/token.*: write a token to it$/,
    });
  });

  for (const [what, text] of [
    ["is empty", "\n"],
    ["holds several lines", "-----BEGIN PRIVATE KEY-----\nsecret\n-----END PRIVATE KEY-----\n"],
  ] as const) {
    it(`says that the token file ${what}, and nothing of what is in it`, async (t) => {
      const admin = { listen: { host: "127.0.0.1", port: 1 }, tokenFile: await writeToken(t, text) };
      const thrown = await askDaemon(admin, RESYNC).catch((reason: unknown) => reason);
      assert.match(String(thrown), /holds no token/);
      assert.doesNotMatch(String(thrown), /secret|BEGIN/);
    });
  }
});

async function useServer(t: TestContext, onRequest: RequestListener): Promise<string> {
  const server = createServer(onRequest).listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => {
    server.close();
    server.closeAllConnections();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

function listenOf(url: string): { readonly host: string; readonly port: number } {
  const { hostname, port } = new URL(url);
  return { host: hostname, port: Number(port) };
}
