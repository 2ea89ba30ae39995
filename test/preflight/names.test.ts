import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { covers } from "../../src/preflight/checks/names.ts";

const NAMES = {
  dnsNames: ["Exact.example", "*.wild.example", "part*.example", "xn--bcher-kva.example"],
  ipAddresses: ["10.0.0.1", "2001:db8::1"],
  uris: ["spiffe://example.org/ns/model"],
};

describe("a name that is covered", () => {
  for (const name of [
    "exact.example",
    "EXACT.example.",
    "a.wild.example",
    "*.wild.example",
    "xn--bcher-kva.example",
    "10.0.0.1",
    "2001:db8::1",
    "2001:0DB8:0:0:0:0:0:1",
    "spiffe://example.org/ns/model",
  ]) {
    it(`is ${name}`, () => assert.equal(covers(NAMES, name), true));
  }
});

describe("a name that is not covered", () => {
  for (const name of [
    "example",
    "other.example",
    "sub.exact.example",
    "wild.example",
    "a.b.wild.example",
    ".wild.example",
    "partial.example",
    "10.0.0.2",
    "2001:db8::2",
    "spiffe://example.org/ns/MODEL",
    "spiffe://example.org/ns",
    "",
  ]) {
    it(`is ${JSON.stringify(name)}`, () => assert.equal(covers(NAMES, name), false));
  }

  it("is one that stands among the names of another kind", () => {
    const names = { dnsNames: ["10.0.0.9", "spiffe://a/b"], ipAddresses: [], uris: ["dns.example"] };
    for (const name of ["10.0.0.9", "spiffe://a/b", "dns.example"]) assert.equal(covers(names, name), false);
  });
});
