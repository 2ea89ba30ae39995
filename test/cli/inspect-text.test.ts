import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { CheckReport } from "../../src/cli/inspect-checks.ts";
import type { InspectReport } from "../../src/cli/inspect-report.ts";
import { describeInspection } from "../../src/cli/inspect-text.ts";
import { styleOf } from "../../src/cli/style.ts";

const PLAIN = styleOf(false, {});
const WITH_SIGNS = styleOf(true, { LANG: "C.UTF-8", NO_COLOR: "1" });
const CERTIFICATE = {
  subject: "CN=inference.local",
  issuer: "CN=Issuing CA",
  serial: "0A",
  fingerprint256: "AB:CD",
  notBefore: "2031-01-01T00:00:00.000Z",
  notAfter: "2031-01-31T00:00:00.000Z",
  daysLeft: 29.5,
  keyType: "EC P-256",
  where: "tls.crt, line 1",
};
const INTERMEDIATE = { ...CERTIFICATE, subject: "CN=Issuing CA", where: "tls.crt, line 12" };
const ROOT = { ...CERTIFICATE, subject: "CN=Root", daysLeft: 300, where: "ca.crt, line 1" };
const OK: CheckReport = { name: "content", result: "ok", note: null, problems: [] };
const REPORT: InspectReport = {
  ok: true,
  name: "inference",
  from: ["tls.crt", "tls.key", "ca.crt"],
  revision: null,
  digest: "sha256:12",
  leaf: {
    ...CERTIFICATE,
    ...{ dnsNames: ["inference.local"], ipAddresses: ["10.0.0.7"], uris: [] },
    ...{ keyUsage: ["digitalSignature"], extendedKeyUsage: ["serverAuth", "clientAuth"] },
  },
  chain: [
    { ...CERTIFICATE, role: "leaf", sent: true, trusted: false },
    { ...INTERMEDIATE, role: "intermediate", sent: true, trusted: false },
    { ...ROOT, role: "root", sent: false, trusted: true },
  ],
  anchors: [{ ...ROOT, inChain: true }],
  crls: [],
  unused: [],
  checks: [OK],
  problems: [],
};

describe("an inspection for a person", () => {
  it("is the leaf, its chain down from the root, the checks and a summary", () => {
    assert.deepEqual(describeInspection(REPORT, PLAIN), [
      "inference",
      "  from         tls.crt, tls.key, ca.crt",
      "  digest       sha256:12",
      "",
      "leaf",
      "  subject      CN=inference.local",
      "  issuer       CN=Issuing CA",
      "  serial       0A",
      "  SHA-256      AB:CD",
      "  names        inference.local, 10.0.0.7",
      "  key          EC P-256",
      "  valid        2031-01-01T00:00:00Z to 2031-01-31T00:00:00Z, 29.5 days left",
      "  usages       digitalSignature; serverAuth, clientAuth",
      "  where        tls.crt, line 1",
      "",
      "chain, down from its root",
      "  CN=Root  root, trusted; EC P-256; 300.0 days left; ca.crt, line 1",
      "  `- CN=Issuing CA  intermediate, sent; EC P-256; 29.5 days left; tls.crt, line 12",
      "     `- CN=inference.local  leaf, sent; EC P-256; 29.5 days left; tls.crt, line 1",
      "",
      "checks",
      "  ok   content      everything in it can be read",
      "",
      "inference: every check passes",
    ]);
  });

  it("names code and message of each problem, and what was not reached", () => {
    const problems = [
      { code: "KEY_MISMATCH", message: "the private key belongs to none" },
      { code: "KEY_UNREADABLE", message: "OpenSSL cannot read it" },
    ] as const;
    const checks: CheckReport[] = [
      OK,
      { name: "key", result: "failed", note: null, problems },
      { name: "handshake", result: "skipped", note: "not reached", problems: [] },
      { name: "labels", result: "skipped", note: "there is no meta.json", problems: [] },
    ];
    const lines = describeInspection({ ...REPORT, ok: false, checks, problems }, PLAIN);

    assert.deepEqual(lines.slice(lines.indexOf("checks") + 2), [
      "  FAIL key",
      "       KEY_MISMATCH: the private key belongs to none",
      "       KEY_UNREADABLE: OpenSSL cannot read it",
      "  -    handshake    not reached",
      "",
      "inference: 2 problems",
    ]);
  });

  it("has signs in place of words on a terminal that shows them", () => {
    const failed: CheckReport = { name: "key", result: "failed", note: null, problems: [] };
    const lines = describeInspection({ ...REPORT, checks: [OK, failed] }, WITH_SIGNS);

    assert.ok(lines.includes("  ✓ content      everything in it can be read"));
    assert.ok(lines.includes("  ✗ key"));
    assert.ok(lines.some((line) => line.startsWith("     └─ CN=inference.local")));
  });

  it("shows trust anchors besides, revocation lists, and what is not used", () => {
    const list = { issuer: "CN=Root", thisUpdate: "2031-01-01T00:00:00.000Z", where: "ca.crl, line 1" };
    const lines = describeInspection(
      {
        ...REPORT,
        anchors: [
          { ...ROOT, inChain: true },
          { ...ROOT, subject: "CN=Root 2", daysLeft: -3.5, inChain: false },
        ],
        crls: [
          { ...list, nextUpdate: "2031-01-08T00:00:00.000Z", entries: 1 },
          { ...list, nextUpdate: null, entries: 20 },
        ],
        unused: [INTERMEDIATE],
      },
      PLAIN,
    );

    const from = lines.indexOf("trust anchors besides");
    assert.deepEqual(lines.slice(from, lines.indexOf("checks")), [
      "trust anchors besides",
      "  CN=Root 2  EC P-256; expired 3.5 days ago; ca.crt, line 1",
      "",
      "revocation lists",
      "  CN=Root  of 2031-01-01T00:00:00Z, next by 2031-01-08T00:00:00Z; 1 entry; ca.crl, line 1",
      "  CN=Root  of 2031-01-01T00:00:00Z, with no next update; 20 entries; ca.crl, line 1",
      "",
      "not used",
      "  CN=Issuing CA  EC P-256; 29.5 days left; tls.crt, line 12",
      "",
    ]);
  });

  it("of a trust bundle is its anchors", () => {
    const anchors = [{ ...ROOT, inChain: false }];
    const lines = describeInspection({ ...REPORT, leaf: null, chain: [], anchors }, PLAIN);

    assert.deepEqual(lines.slice(3, 6), [
      "",
      "trust anchors",
      "  CN=Root  EC P-256; 300.0 days left; ca.crt, line 1",
    ]);
  });

  it("says at which revision etcd has it, and that a leaf without a usage may be used for any", () => {
    const leaf = REPORT.leaf && { ...REPORT.leaf, keyUsage: null, extendedKeyUsage: null, dnsNames: [] };
    const lines = describeInspection({ ...REPORT, from: ["/certs/a.pem"], revision: 7, leaf }, PLAIN);

    assert.equal(lines[1], "  from         /certs/a.pem at revision 7");
    assert.ok(lines.includes("  usages       any"));
  });

  it("shows nothing that a terminal would obey", () => {
    const evil = "\u001b[2J\u001b]0;x\u0007";
    const evilOne = { ...CERTIFICATE, subject: evil, issuer: evil, where: evil };
    const problems = [{ code: "KEY_MISMATCH", message: evil }] as const;
    const report = {
      ...REPORT,
      from: [evil],
      leaf: REPORT.leaf && { ...REPORT.leaf, ...evilOne, dnsNames: [evil] },
      chain: [{ ...evilOne, role: "leaf", sent: true, trusted: false } as const],
      anchors: [{ ...evilOne, inChain: false }],
      crls: [{ issuer: evil, thisUpdate: "", nextUpdate: null, entries: 0, where: evil }],
      unused: [evilOne],
      checks: [{ ...OK, result: "failed", problems } as const],
      problems,
    };

    assert.equal(describeInspection(report, PLAIN).join("").includes("\u001b"), false);
  });
});

describe("the style", () => {
  for (const [what, isTerminal, env, marks, painted] of [
    ["a terminal with UTF-8", true, { LANG: "de_DE.UTF-8" }, "✓✗-", true],
    ["a terminal without UTF-8", true, { LANG: "C" }, "ok  FAIL-   ", true],
    [
      "a terminal whose LC_ALL says other than LANG",
      true,
      { LC_ALL: "C", LANG: "C.UTF-8" },
      "ok  FAIL-   ",
      true,
    ],
    ["a terminal that is to have no colours", true, { LANG: "C.utf8", NO_COLOR: "1" }, "✓✗-", false],
    ["a dumb terminal", true, { LANG: "C.UTF-8", TERM: "dumb" }, "✓✗-", false],
    ["anything else", false, { LANG: "C.UTF-8" }, "ok  FAIL-   ", false],
    ["a pipe that is to have colours", false, { FORCE_COLOR: "1" }, "ok  FAIL-   ", true],
    ["a terminal that is forced to have none", true, { LANG: "C", FORCE_COLOR: "0" }, "ok  FAIL-   ", false],
    ["what is told both", false, { NO_COLOR: "1", FORCE_COLOR: "" }, "ok  FAIL-   ", true],
  ] as const) {
    it(`of ${what} is what it takes`, () => {
      const { marks: found, paint } = styleOf(isTerminal, env);

      assert.equal(found.ok + found.failed + found.skipped, marks);
      assert.equal(paint("good", "x") !== "x", painted);
    });
  }
});
