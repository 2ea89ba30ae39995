import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import { describe, it } from "node:test";
import { createSecureContext } from "node:tls";
import type { Look, Sight, TrustPem } from "../../src/core/handshake.ts";
import { createContexts } from "../../src/handshake/contexts.ts";
import { look } from "../../src/handshake/look.ts";
import { manualClock } from "../support/manual-clock.ts";
import { type Minted, mint, mintAuthority, mintCrl, rsaKey } from "../support/mint.ts";
import { type Presented, presentedBy } from "./candidate.ts";
import { bareLookOf, lookOf, servedBy, useTls } from "./servers.ts";

/** Where time stands still, what does not come is waited for without end. */
const FINITE = { timeout: 120_000 };
const VERSIONS = ["TLSv1.2", "TLSv1.3"] as const;

describe("a look", FINITE, () => {
  for (const version of VERSIONS) {
    it(`sees the leaf that is served, over ${version}`, async (t) => {
      const { leaf, chain } = presentedBy({});
      const port = await useTls(t, { ...servedBy(chain), minVersion: version, maxVersion: version });
      const { fingerprint256, serialNumber, validTo } = new X509Certificate(leaf.pem);
      assert.deepEqual(await lookOnce(lookOf(port)), {
        kind: "served",
        fingerprint256,
        subject: "CN=inference.local",
        serial: serialNumber,
        notAfter: new Date(validTo).toISOString(),
        distrust: null,
      });
    });
  }

  it("sees an empty subject", async (t) => {
    const sight = await lookOnce(lookOf(await useTls(t, servedBy([mint({ subject: "" })]))));
    assert.equal(sight.kind === "served" && sight.subject, "");
  });

  it("asks for the name it is given, and for none where it is given an address or nothing", async (t) => {
    const [named, other] = [mint({ subject: "named" }), mint({ subject: "other" })];
    const asked: string[] = [];
    const port = await useTls(t, {
      ...servedBy([other]),
      SNICallback: (name, give) => {
        asked.push(name);
        give(null, createSecureContext(servedBy([named])));
      },
    });
    const subjects = [];
    for (const serverName of ["named.local", "127.0.0.1", "::1", null]) {
      const sight = await lookOnce(lookOf(port, { serverName }));
      subjects.push(sight.kind === "served" && sight.subject);
    }
    assert.deepEqual(subjects, ["CN=named", "CN=other", "CN=other", "CN=other"]);
    assert.deepEqual(asked, ["named.local"]);
  });

  for (const host of ["::1", "[::1]"]) {
    it(`takes an IPv6 address: ${host}`, async (t) => {
      const port = await useTls(t, servedBy([mint()]), "::1");
      assert.equal((await lookOnce(lookOf(port, { host }))).kind, "served");
    });
  }

  it("is a fresh session each time: what was swapped in is seen", async (t) => {
    const identities = [mint({ subject: "old" }), mint({ subject: "new" })];
    let count = 0;
    const port = await useTls(t, {
      ...servedBy([mint()]),
      SNICallback: (_name, give) => {
        const identity = identities[count++] ?? mint();
        give(null, createSecureContext(servedBy([identity])));
      },
    });
    const contexts = createContexts();
    const subjects = [];
    for (const _ of identities) {
      const sight = await look(bareLookOf(lookOf(port, { serverName: "a.local" })), contexts, manualClock());
      subjects.push(sight.kind === "served" && sight.subject);
    }
    assert.deepEqual(subjects, ["CN=old", "CN=new"]);
  });

  it("sees a key that is too weak to be accepted", async (t) => {
    const weak = servedBy([mint({ key: rsaKey(1024), hash: "sha1" })]);
    const port = await useTls(t, { ...weak, ciphers: "DEFAULT@SECLEVEL=0" });
    assert.equal((await lookOnce(lookOf(port))).kind, "served");
  });
});

describe("what is served is judged", FINITE, () => {
  const { chain, leaf, intermediate, root } = presentedBy({});
  const crls = [root, intermediate].map((issuer) => mintCrl({ issuer }));
  const revoked = [mintCrl({ issuer: root }), mintCrl({ issuer: intermediate, revoked: [leaf] })];
  const expired = presentedBy({ leaf: { from: -20, until: -10 } });
  const future = presentedBy({ leaf: { from: 10, until: 20 } });
  const cases: readonly (readonly [
    what: string,
    chain: Presented["chain"],
    trust: TrustPem,
    reason: string | null,
  ])[] = [
    ["by the trust of the bundle", chain, trustOf([root]), null],
    ["by its revocation lists too", chain, trustOf([root], crls), null],
    ["and is revoked", chain, trustOf([root], revoked), "revoked_cert"],
    ["and has expired", expired.chain, trustOf([expired.root]), "expired_cert"],
    ["and is not yet valid", future.chain, trustOf([future.root]), "expired_cert"],
    ["and is not of the root", chain, trustOf([mintAuthority("Root")]), "unknown_ca"],
    ["and is sent without its intermediate", [leaf], trustOf([root]), "unknown_ca"],
    [
      "and is for something else",
      [mint({ issuer: root, uses: ["clientAuth"] })],
      trustOf([root]),
      "unknown_ca",
    ],
    ["and has no revocation list", chain, trustOf([root], crls.slice(1)), "unknown_ca"],
    ["not at all, where nothing is trusted", chain, trustOf([]), null],
  ];
  for (const [what, sent, trust, reason] of cases) {
    it(what, async (t) => {
      const sight = await lookOnce(lookOf(await useTls(t, servedBy(sent)), { trust }));
      assert.equal(sight.kind, "served");
      assert.equal(sight.kind === "served" && (sight.distrust?.reason ?? null), reason);
    });
  }

  it("and is too weak, and seen all the same", async (t) => {
    const weak = servedBy([mint({ issuer: root, key: rsaKey(1024) })]);
    const port = await useTls(t, { ...weak, ciphers: "DEFAULT@SECLEVEL=0" });
    const sight = await lookOnce(lookOf(port, { trust: trustOf([root]) }));
    assert.equal(sight.kind === "served" && sight.distrust?.reason, "unknown_ca");
  });

  it("in words for a person", async (t) => {
    const port = await useTls(t, servedBy(expired.chain));
    const sight = await lookOnce(lookOf(port, { trust: trustOf([expired.root]) }));
    const message = sight.kind === "served" ? sight.distrust?.message : "";
    assert.match(message ?? "", /has expired.*OpenSSL as client: certificate has expired/);
  });

  it("and the name is nobody's business here", async (t) => {
    const port = await useTls(t, servedBy(chain));
    const sight = await lookOnce(lookOf(port, { trust: trustOf([root]), serverName: "another.local" }));
    assert.equal(sight.kind === "served" && sight.distrust, null);
  });
});

/** Time stands still: what comes without a service having to be waited for, and nothing else. */
async function lookOnce(asked: Look): Promise<Sight> {
  return look(bareLookOf(asked), createContexts(), manualClock());
}

function trustOf(anchors: readonly Minted[], crls: readonly string[] = []): TrustPem {
  return { anchors: anchors.map(({ pem }) => pem).join(""), crls };
}
