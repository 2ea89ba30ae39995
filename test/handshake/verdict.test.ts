import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { refusalFrom } from "../../src/handshake/refusal.ts";
import { problemOf } from "../../src/handshake/verdict.ts";

const PLACE = "../deps/openssl/openssl/ssl/record/rec_layer_s3.c:1601";

describe("what OpenSSL says is the same problem", () => {
  for (const [what, code, ...sayings] of [
    [
      "when a key is too weak",
      "KEY_TOO_WEAK",
      "error:0A00018F:SSL routines::ee key too small",
      "804CE252807F0000:error:0A00018D:SSL routines:ssl_add_cert_chain:ca key too small:../ssl.c:9:\n",
      "EE certificate key too weak",
      "CA certificate key too weak",
    ],
    [
      "when a signature is too weak",
      "SIGNATURE_TOO_WEAK",
      "error:0A00018E:SSL routines::ca md too weak",
      "CA signature digest algorithm too weak",
    ],
    [
      "when an issuer is missing, with the advice that Node adds or without",
      "CHAIN_UNTRUSTED",
      "unable to get local issuer certificate",
      "unable to get local issuer certificate; if the root CA is installed locally, try running Node.js with --use-system-ca",
    ],
    [
      "when a list cannot be relied on",
      "CRL_INVALID",
      "CRL signature failure",
      "unable to get CRL issuer certificate",
      "key usage does not include CRL signing",
      "unhandled critical CRL extension",
      "different CRL scope",
      "format error in CRL's nextUpdate field",
    ],
    [
      "when a signature does not hold",
      "SIGNATURE_INVALID",
      "certificate signature failure",
      "unable to decrypt certificate's signature",
      "unable to decode issuer public key",
    ],
    [
      "when a name is not allowed",
      "NAME_CONSTRAINT_VIOLATED",
      "permitted subtree violation",
      "excluded subtree violation",
      "unsupported name constraint type",
      "unsupported or invalid name constraint syntax",
    ],
    [
      "when the purpose is another",
      "EXTENDED_KEY_USAGE_WRONG",
      "unsuitable certificate purpose",
      "unsupported certificate purpose",
    ],
    [
      "when an issuer may not issue",
      "ISSUER_NOT_CA",
      "invalid CA certificate",
      "key usage does not include certificate signing",
    ],
  ] as const) {
    it(what, () => {
      for (const saying of sayings)
        assert.equal(problemOf(refusalFrom(new Error(saying)), []).code, code, saying);
    });
  }

  it("when Node has only its code for it", () => {
    for (const [name, code] of [
      ["CERT_HAS_EXPIRED", "CERTIFICATE_EXPIRED"],
      ["CERT_REVOKED", "CERTIFICATE_REVOKED"],
      ["UNABLE_TO_GET_ISSUER_CERT_LOCALLY", "CHAIN_UNTRUSTED"],
      ["UNABLE_TO_VERIFY_LEAF_SIGNATURE", "CHAIN_INCOMPLETE"],
      ["DEPTH_ZERO_SELF_SIGNED_CERT", "CHAIN_UNTRUSTED"],
      ["INVALID_PURPOSE", "EXTENDED_KEY_USAGE_WRONG"],
      ["CRL_HAS_EXPIRED", "CRL_EXPIRED"],
      ["UNABLE_TO_GET_CRL", "CRL_MISSING"],
      ["UNSPECIFIED", "HANDSHAKE_FAILED"],
    ] as const) {
      assert.equal(problemOf({ code: name, words: name, alert: null }, ["client"]).code, code, name);
    }
  });
});

describe("what nobody has heard OpenSSL say", () => {
  it("is passed on in its words", () => {
    const { code, message } = problemOf(
      refusalFrom(new Error("certificate is on the wrong side of the bed")),
      ["client"],
    );
    assert.equal(code, "HANDSHAKE_FAILED");
    assert.match(message, /OpenSSL as client .*certificate is on the wrong side of the bed/);
  });

  it("is passed on without the places in its sources, and on one line", () => {
    const thrown = new Error(`80AC:error:0A000410:SSL routines:ssl3_read_bytes:bad signature:${PLACE}:\n`);
    assert.match(
      problemOf(refusalFrom(thrown), []).message,
      /in its words: bad signature \(SSL routines\) \[UNSPECIFIED\]$/,
    );
  });

  it("is cut where it is endless", () => {
    assert.ok(problemOf(refusalFrom(new Error("a".repeat(10_000))), []).message.length < 500);
  });
});

describe("an alert of the other side", () => {
  for (const words of ["sslv3 alert handshake failure", "ssl/tls alert handshake failure"]) {
    it(`is known by its number: ${words}`, () => {
      const thrown = new Error(
        `80AC:error:0A000410:SSL routines:ssl3_read_bytes:${words}:${PLACE}:SSL alert number 40\n`,
      );
      assert.equal(refusalFrom(thrown).alert, 40);
    });
  }

  it("is none where OpenSSL on our side gave up", () => {
    assert.equal(refusalFrom(new Error("error:0A00018F:SSL routines::ee key too small")).alert, null);
  });
});
