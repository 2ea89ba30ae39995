import assert from "node:assert/strict";
import type { IncomingHttpHeaders } from "node:http";
import { describe, it } from "node:test";
import { type RequestFacts, requestHeaders, responseHeaders, trailersOf } from "../../src/proxy/headers.ts";

const FACTS: RequestFacts = {
  host: "inference.local",
  clientAddress: "192.0.2.1",
  identity: undefined,
  trustForwarded: false,
};

const passOn = (headers: IncomingHttpHeaders, facts: Partial<RequestFacts> = {}) =>
  requestHeaders(headers, { ...FACTS, ...facts });

describe("headers of a request", () => {
  it("say who asked, for what host and by https", () => {
    assert.deepEqual(passOn({ host: "inference.local", accept: "*/*" }), {
      accept: "*/*",
      host: "inference.local",
      "x-forwarded-for": "192.0.2.1",
      "x-forwarded-proto": "https",
      "x-forwarded-host": "inference.local",
    });
  });

  for (const name of [
    "x-forwarded-for",
    "x-forwarded-proto",
    "x-forwarded-host",
    "forwarded",
    "x-real-ip",
    "x-forwarded-client-cert",
    "x_forwarded_for",
    "x-forwarded_client_cert",
    "x_real_ip",
  ]) {
    it(`do not take over ${name} from outside`, () => {
      assert.ok(!JSON.stringify(passOn({ [name]: "forged" })).includes("forged"));
    });
  }

  it("go on with what another proxy said, where it is believed; never with who the client is", () => {
    const said = {
      "x-forwarded-for": "198.51.100.7",
      "x-forwarded-proto": "http",
      "x-forwarded-host": "public.example",
      "x-forwarded-client-cert": "forged",
      x_forwarded_client_cert: "forged",
    };

    assert.deepEqual(passOn(said, { trustForwarded: true }), {
      host: "inference.local",
      "x-forwarded-for": "198.51.100.7, 192.0.2.1",
      "x-forwarded-proto": "http",
      "x-forwarded-host": "public.example",
    });
  });

  it("leave behind what is of one connection, and what Connection names", () => {
    const headers = passOn({
      connection: "keep-alive, X-Secret, content-length, x-forwarded-for",
      "keep-alive": "timeout=5",
      "proxy-connection": "keep-alive",
      "transfer-encoding": "chunked",
      te: "gzip",
      upgrade: "h2c",
      "http2-settings": "AAMAAABk",
      "x-secret": "x",
      "content-length": "3",
      ":path": "/",
    });

    assert.deepEqual(Object.keys(headers).sort(), [
      "content-length",
      "host",
      "x-forwarded-for",
      "x-forwarded-host",
      "x-forwarded-proto",
    ]);
  });

  it("ask for trailers where the client does", () => {
    const { te, connection } = passOn({ te: "gzip, Trailers" });

    assert.deepEqual([te, connection], ["trailers", "keep-alive, te"]);
  });

  it("say who the client is, so that nothing in its name can end the quotes", () => {
    const identity = { subject: 'CN=a"b\\,O=Müller%\n', sha256: "ab12" };

    assert.equal(
      passOn({}, { identity })["x-forwarded-client-cert"],
      'Hash=ab12;Subject="CN=a%22b%5C,O=M%C3%BCller%25%0A"',
    );
  });
});

describe("headers of a response", () => {
  it("go on, but for those of one connection", () => {
    const headers = { connection: "close, x-hop", "x-hop": "1", "set-cookie": ["a", "b"], "keep-alive": "5" };

    assert.deepEqual(responseHeaders(headers), { "set-cookie": ["a", "b"] });
  });

  it("have no place among trailers where they frame or route a message", () => {
    const trailers = { "x-checksum": "1", "content-length": "3", host: "a", x_forwarded_for: "b" };

    assert.deepEqual(trailersOf(trailers), { "x-checksum": "1" });
  });
});
