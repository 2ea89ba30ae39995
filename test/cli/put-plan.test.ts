import assert from "node:assert/strict";
import { before, describe, it } from "node:test";
import { type Held, lookAtHeld } from "../../src/cli/put-held.ts";
import { type Consent, type Offer, planPut } from "../../src/cli/put-plan.ts";
import type { Config } from "../../src/config/schema.ts";
import { readMaterial } from "../../src/core/material.ts";
import { keysOf } from "../../src/core/names.ts";
import { checksSettings } from "../support/checks-settings.ts";
import { entryOf, materialOf, nameOf } from "../support/material.ts";
import { mint, mintAuthority, mintCrl } from "../support/mint.ts";
import { writePkcs12 } from "../support/pkcs12.ts";

const ROOT = mintAuthority("Root");
const [OLD, NEW] = [mint({ issuer: ROOT }), mint({ issuer: ROOT })];
const CRL = mintCrl({ issuer: ROOT });
const KEYS = keysOf("/certs/", nameOf("demo")).map(({ key }) => key);
const NO_CONSENT: Consent = { withoutCa: false, withoutCrl: false, force: false };
const P12 = writePkcs12({
  keys: [OLD.key.privateKey],
  certificates: [OLD.pem, ROOT.pem],
  passphrase: "secret",
});

let checks: Config["checks"];
before(async () => {
  checks = await checksSettings();
});

type Values = Readonly<Record<string, string | Uint8Array>>;

/** What etcd holds of `demo`, each key one revision after the one before. */
function holding(values: Values): Promise<Held> {
  const entries = Object.entries(values).map(([suffix, value], at) => {
    const key = `/certs/demo${suffix}`;
    return [key, entryOf(key, value, at + 1)] as const;
  });
  return lookAtHeld("/certs/", nameOf("demo"), new Map(entries), checks, new AbortController().signal);
}

function offering(values: Values, changes: Partial<Offer> = {}): Offer {
  const read = readMaterial(materialOf(values));
  if (!read.ok) throw new Error("the offer has to be good");
  const has = (role: string) => read.contents.blocks.some((block) => block.role === role);
  return {
    digest: read.contents.digest,
    values: new Map(
      Object.entries(values).map(([suffix, value]) => [`/certs/demo${suffix}`, Buffer.from(value)]),
    ),
    hasLeaf: has("certificate"),
    hasAnchors: has("trust-anchor"),
    hasCrls: has("crl"),
    isWhole: !read.contents.inParts,
    ...changes,
  };
}

function parts(leaf: typeof NEW, ...others: readonly ("ca" | "crl")[]): Values {
  return {
    "/tls.crt": leaf.pem,
    "/tls.key": leaf.keyPem,
    ...(others.includes("ca") ? { "/ca.crt": ROOT.pem } : {}),
    ...(others.includes("crl") ? { "/ca.crl": CRL } : {}),
  };
}

async function plan(held: Values, offer: Offer, consent: Partial<Consent> = {}) {
  return planPut(KEYS, offer, await holding(held), { ...NO_CONSENT, ...consent });
}

describe("a put of parts", () => {
  it("where there is nothing writes them, if none of the bundle's keys came meanwhile", async () => {
    const planned = await plan({}, offering(parts(NEW, "ca")));

    assert.ok(planned.kind === "write");
    const { puts, deletes, asRead } = planned.change;
    assert.deepEqual([...puts.keys()], ["/certs/demo/tls.crt", "/certs/demo/tls.key", "/certs/demo/ca.crt"]);
    assert.deepEqual(deletes, []);
    assert.deepEqual([...asRead.keys()].sort(), KEYS.filter((key) => !key.endsWith("meta.json")).sort());
    assert.deepEqual(new Set(asRead.values()), new Set([0]));
  });

  it("in place of a whole bundle deletes that, and leaves the labels alone", async () => {
    const held = { ".pem": OLD.pem + OLD.keyPem + ROOT.pem, "/meta.json": "{}" };
    const planned = await plan(held, offering(parts(NEW, "ca")));

    assert.ok(planned.kind === "write");
    assert.deepEqual(planned.change.deletes, ["/certs/demo.pem"]);
    assert.equal(planned.change.asRead.get("/certs/demo.pem"), 1);
    assert.equal(planned.change.asRead.has("/certs/demo/meta.json"), false);
  });

  it("with labels writes them in the same transaction, where nobody else did", async () => {
    const held = { ...parts(OLD, "ca"), "/meta.json": "{}" };
    const planned = await plan(held, offering({ ...parts(NEW, "ca"), "/meta.json": '{"labels":{}}' }));

    assert.ok(planned.kind === "write");
    assert.ok(planned.change.puts.has("/certs/demo/meta.json"));
    assert.equal(planned.change.asRead.get("/certs/demo/meta.json"), 4);
  });

  it("in place of both shapes leaves one", async () => {
    const held = { "": OLD.pem + OLD.keyPem, ".pem": OLD.pem, ...parts(OLD, "ca") };
    const planned = await plan(held, offering(parts(NEW, "ca")));

    assert.ok(planned.kind === "write");
    assert.deepEqual(planned.change.deletes, ["/certs/demo", "/certs/demo.pem"]);
  });
});

describe("a put of one file", () => {
  it("deletes every part, and the whole bundle of another form", async () => {
    const file = { ".p12": P12 };
    const planned = await plan(parts(OLD, "ca", "crl"), offering(file, { hasLeaf: true, hasAnchors: true }), {
      withoutCrl: true,
    });

    assert.ok(planned.kind === "write");
    assert.deepEqual([...planned.change.puts.keys()], ["/certs/demo.p12"]);
    assert.equal(planned.change.deletes.length, 4);
  });
});

describe("a put of what is there", () => {
  it("does nothing, in whatever shape it is there, and says where and since when", async () => {
    const held = { "/tls.crt": OLD.pem, "/tls.key": OLD.keyPem, "/ca.crt": ROOT.pem };
    const planned = await plan(held, offering({ ".pem": ROOT.pem + OLD.keyPem + OLD.pem }));

    assert.deepEqual(planned, {
      kind: "unchanged",
      revision: 3,
      keys: ["/certs/demo/tls.crt", "/certs/demo/tls.key", "/certs/demo/ca.crt"],
    });
  });

  it("writes it all the same where that is asked for", async () => {
    assert.equal((await plan(parts(OLD), offering(parts(OLD)), { force: true })).kind, "write");
  });

  it("writes where the labels are others, and does not where they are the same", async () => {
    const held = { ...parts(OLD), "/meta.json": "{}" };

    assert.equal((await plan(held, offering({ ...parts(OLD), "/meta.json": "{}" }))).kind, "unchanged");
    assert.equal((await plan(held, offering({ ...parts(OLD), "/meta.json": "[]" }))).kind, "write");
    assert.equal((await plan(parts(OLD), offering({ ...parts(OLD), "/meta.json": "{}" }))).kind, "write");
  });
});

describe("a put that would take something away by leaving it out", () => {
  const refusals = [
    ["trust anchors", parts(OLD, "ca"), parts(NEW), "ANCHORS_WOULD_GO", /give --ca, or give --no-ca/],
    [
      "trust anchors of a whole bundle",
      { "": OLD.pem + OLD.keyPem + ROOT.pem },
      parts(NEW),
      "ANCHORS_WOULD_GO",
      /--ca/,
    ],
    [
      "trust anchors, by a whole one",
      parts(OLD, "ca"),
      { ".pem": NEW.pem + NEW.keyPem },
      "ANCHORS_WOULD_GO",
      /put them into the file/,
    ],
    [
      "trust anchors of what cannot be read",
      { ".pem": "nonsense" },
      parts(NEW),
      "ANCHORS_WOULD_GO",
      /cannot be read, and may be/,
    ],
    [
      "trust anchors of one shape of two",
      { "": "nonsense", ...parts(OLD, "ca") },
      parts(NEW),
      "ANCHORS_WOULD_GO",
      /holds trust anchors/,
    ],
    [
      "what a PKCS#12 file may hold",
      { ".p12": P12 },
      parts(NEW),
      "ANCHORS_WOULD_GO",
      /cannot be read, and may be/,
    ],
    [
      "revocation lists",
      parts(OLD, "ca", "crl"),
      parts(NEW, "ca"),
      "CRLS_WOULD_GO",
      /give --crl, or give --no-crl/,
    ],
    ["the leaf", parts(OLD, "ca"), { "/ca.crt": ROOT.pem }, "LEAF_WOULD_GO", /delete what is there first/],
  ] as const;
  for (const [what, held, offered, code, message] of refusals) {
    it(`is refused: ${what}`, async () => {
      const planned = await plan(held, offering(offered));

      assert.ok(planned.kind === "refused");
      assert.equal(planned.code, code);
      assert.match(planned.message, message);
    });
  }

  it("is done where that is said", async () => {
    const without = await plan(parts(OLD, "ca"), offering(parts(NEW)), { withoutCa: true });
    const listless = await plan(parts(OLD, "ca", "crl"), offering(parts(NEW, "ca")), { withoutCrl: true });

    assert.ok(without.kind === "write" && listless.kind === "write");
    assert.deepEqual(without.change.deletes, ["/certs/demo/ca.crt"]);
    assert.deepEqual(listless.change.deletes, ["/certs/demo/ca.crl"]);
  });

  it("is not refused where there is none, or other ones are given", async () => {
    assert.equal((await plan(parts(OLD), offering(parts(NEW)))).kind, "write");
    assert.equal((await plan({ "/meta.json": "{}" }, offering(parts(NEW)))).kind, "write");
    assert.equal((await plan({ ".pem": "nonsense" }, offering(parts(NEW, "ca")))).kind, "write");
    assert.equal(
      (await plan({ "/ca.crt": ROOT.pem }, offering({ "/ca.crt": ROOT.pem + ROOT.pem }))).kind,
      "unchanged",
    );
  });
});
