import assert from "node:assert/strict";
import { once } from "node:events";
import { connect as connectHttp2 } from "node:http2";
import { describe, it } from "node:test";
import { connect } from "node:tls";
import { Secret } from "../../src/core/secret.ts";
import { BundleVersion } from "../../src/hot-swap/bundle-version.ts";
import { clientOptionsOf } from "../../src/hot-swap/context-options.ts";
import { type HotCredentials, hotCredentials } from "../../src/hot-swap/hot-credentials.ts";
import { useHotClient } from "../support/hot-client.ts";
import { mintAuthority } from "../support/mint.ts";
import { MUTUAL_SERVERS } from "../support/mutual-servers.ts";
import { useSource, useTurningBundle } from "../support/turning-bundle.ts";

async function requestOver(hot: HotCredentials, port: number): Promise<string> {
  const socket = connect({ ...hot.connectOptions(), host: "127.0.0.1", port });
  socket.end("GET / HTTP/1.1\r\nHost: inference.local\r\nConnection: close\r\n\r\n");
  let answer = "";
  for await (const chunk of socket) answer += String(chunk);
  const [, body = ""] = answer.split("\r\n\r\n");
  return body;
}

describe("what a connection of a client takes", () => {
  it("is the certificate that is current when it is made", async (t) => {
    const { hot, server, first, turn } = await useHotClient(t);
    assert.equal(await requestOver(hot, server.port), first);

    const second = await turn();

    assert.equal(await requestOver(hot, server.port), second);
  });

  it("is no certificate where the bundle has none", async (t) => {
    const { hot, server, turn } = await useHotClient(t);

    await turn({ hasLeaf: false });

    assert.equal(await requestOver(hot, server.port), "");
  });

  it("is one context for all connections of a generation, and the same when following has ended", async (t) => {
    const { hot, server, turn } = await useHotClient(t);
    const before = hot.connectOptions().secureContext;
    assert.equal(hot.connectOptions().secureContext, before);
    const second = await turn();
    const after = hot.connectOptions().secureContext;
    assert.notEqual(after, before);

    hot.close();
    await turn();

    assert.equal(hot.connectOptions().secureContext, after);
    assert.equal(await requestOver(hot, server.port), second);
  });

  it("is good for http2 too", async (t) => {
    const bundle = await useTurningBundle(t);
    const { fingerprint256 } = await bundle.turn();
    const source = await useSource(t, bundle.dir);
    const server = await MUTUAL_SERVERS.http2(t, { source, version: "TLSv1.3" });
    const session = connectHttp2(`https://127.0.0.1:${server.port}`, hotCredentials(source).connectOptions());
    const stream = session.request();
    const [headers] = await once(stream, "response");
    session.destroy();
    assert.deepEqual([headers[":status"], server.passed], [200, [fingerprint256]]);
  });
});

describe("whom a client trusts", () => {
  const facts = { bundle: "client", generation: "1", digest: "", revision: 1, leaf: null };
  const versionOf = (ca: readonly string[]) =>
    new BundleVersion(facts, new Secret({ cert: undefined, key: undefined, ca, crl: [] }));

  it("is whom its bundle trusts, and by no authorities at all whom Node trusts", () => {
    assert.deepEqual(clientOptionsOf(versionOf(["A"]), {}, undefined).ca, ["A"]);
    assert.equal("ca" in clientOptionsOf(versionOf([]), {}, undefined), false);
  });

  it("is whom another bundle trusts, and nobody where that has no authorities", () => {
    assert.deepEqual(clientOptionsOf(versionOf(["A"]), {}, versionOf(["B"])).ca, ["B"]);
    assert.deepEqual(clientOptionsOf(versionOf(["A"]), {}, versionOf([])).ca, []);
  });

  it("turns: a server whose authority was removed is refused from then on", async (t) => {
    const { hot, server, first, turn } = await useHotClient(t);
    assert.equal(await requestOver(hot, server.port), first);

    await turn({ anchors: [mintAuthority("Servers of today")] });

    await assert.rejects(requestOver(hot, server.port), { code: "UNABLE_TO_VERIFY_LEAF_SIGNATURE" });
  });
});
