import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { describePut, explainPut, type PutReport } from "../../src/cli/put-report.ts";

const REPORT: PutReport = {
  ok: true,
  outcome: "put",
  name: "inference",
  revision: 42,
  digest: "sha256:12",
  leaf: {
    ...{
      subject: "CN=inference.local",
      issuer: "CN=CA",
      serial: "0A",
      fingerprint256: "AB",
      keyType: "EC P-256",
    },
    ...{ notBefore: "", notAfter: "", daysLeft: 29.5, where: "tls.crt, line 1", uris: ["spiffe://a/b"] },
    ...{ dnsNames: ["inference.local"], ipAddresses: [], keyUsage: null, extendedKeyUsage: null },
  },
  keys: ["/certs/inference/tls.crt", "/certs/inference/tls.key"],
  deleted: ["/certs/inference.pem"],
  problems: [],
  warnings: [],
  error: null,
  next: "every node takes it",
};
const DIGEST = "  digest     sha256:12";
const LEAF = "  leaf       CN=inference.local; inference.local, spiffe://a/b; EC P-256; 29.5 days left";

describe("a put for a person", () => {
  it("is what was written where, and what happens to it now", () => {
    assert.deepEqual(describePut(REPORT).split("\n"), [
      "inference: put at revision 42",
      DIGEST,
      LEAF,
      "  written    /certs/inference/tls.crt, /certs/inference/tls.key",
      "  deleted    /certs/inference.pem",
      "  next       every node takes it",
    ]);
  });

  it("says that a dry run wrote nothing", () => {
    const [head] = describePut({ ...REPORT, outcome: "wouldPut", revision: null }).split("\n");
    assert.equal(head, "inference: good; this is a dry run, and nothing was written");
  });

  it("says since when what is put is there, and where", () => {
    const unchanged = describePut({ ...REPORT, outcome: "unchanged", deleted: [], next: null });
    assert.deepEqual(unchanged.split("\n"), [
      "inference: unchanged since revision 42; nothing was written (--force puts it again)",
      DIGEST,
      LEAF,
      "  held in    /certs/inference/tls.crt, /certs/inference/tls.key",
    ]);
  });

  it("says that a trust bundle has no leaf", () => {
    assert.match(describePut({ ...REPORT, leaf: null }), /\n {2}leaf {7}none: a trust bundle\n/);
  });

  it("names every problem of a bundle that is refused", () => {
    const problems = [
      { code: "KEY_MISMATCH", message: "one" },
      { code: "CERTIFICATE_EXPIRED", message: "two" },
    ] as const;
    assert.deepEqual(explainPut({ ...REPORT, outcome: "rejected", problems }).split("\n"), [
      "keyturn: inference was not put, for 2 problems:",
      "  KEY_MISMATCH: one",
      "  CERTIFICATE_EXPIRED: two",
    ]);
  });

  it("gives the code and the message of any other reason", () => {
    const error = { code: "CHANGED_MEANWHILE", message: "somebody else" };
    assert.equal(explainPut({ ...REPORT, error }), "keyturn: CHANGED_MEANWHILE: somebody else");
  });

  it("shows nothing that a terminal would obey", () => {
    const evil = "\u001b[2J";
    const report = { ...REPORT, leaf: REPORT.leaf && { ...REPORT.leaf, subject: evil, dnsNames: [evil] } };
    const problems = [{ code: "KEY_MISMATCH", message: evil }] as const;

    assert.equal((describePut(report) + explainPut({ ...report, problems })).includes("\u001b"), false);
  });
});
