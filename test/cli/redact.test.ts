import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { createRedactor } from "../../src/cli/redact.ts";

describe("what is taken out of a text", () => {
  const { redact } = createRedactor(["correct horse battery\nstaple-and-more\n", "short"]);
  for (const [text, shown] of [
    ["-----BEGIN PRIVATE KEY-----\nMIG\n-----END PRIVATE KEY-----\nafter", "[PEM removed]\nafter"],
    ["a -----BEGIN EC PRIVATE KEY-----\nMIG", "a [PEM removed]"],
    ["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "[secret]"],
    ["http://user:pass@host:1/a?b=c&d=e#f", "http://[secret]@host:1/a?b=[secret]&d=[secret]#[secret]"],
    [
      "answered 503 on http://127.0.0.1:1/?t=abc (attempt 1)",
      "answered 503 on http://127.0.0.1:1/?t=[secret] (attempt 1)",
    ],
    ["Authorization: Bearer abc.def", "Authorization: [secret]"],
    ["--password=abc", "--password=[secret]"],
    ['{"token": "abc"}', '{"token": "[secret]"}'],
    ["curl --token abc", "curl --token [secret]"],
    ["it says staple-and-more", "it says [secret]"],
    ["it says battery", "it says [secret]"],
    ["psql postgres://admin:pass@127.0.0.1/app", "psql postgres://[secret]@127.0.0.1/app"],
  ] as const) {
    it(`of ${JSON.stringify(text)}`, () => assert.equal(redact(text), shown));
  }

  for (const text of [
    "passwordFile: /etc/keyturn/etcd-password",
    "the token of admin.tokenFile was refused",
    "http://127.0.0.1:8000/-/reload",
    "a short word",
    "sha256:0123456789abcdef",
  ]) {
    it(`is nothing of ${JSON.stringify(text)}`, () => assert.equal(redact(text), text));
  }

  it("is the argument after a flag that names a secret, and no path", () => {
    assert.deepEqual(redact(["x", "--password", "abc", "--token", "/etc/token", "-v"]), [
      ...["x", "--password", "[secret]", "--token", "/etc/token", "-v"],
    ]);
  });

  it("is a key, also where another key is in a secret file", () => {
    const pem = (content: string) => `-----BEGIN PRIVATE KEY-----\n${content}\n-----END PRIVATE KEY-----\n`;
    const withKey = createRedactor([pem("MIGHAgEAMBMG")]);
    assert.equal(withKey.redact(`it says ${pem("MC4CAQAwBQYD")}`), "it says [PEM removed]\n");
    assert.equal(withKey.redact("MIGHAgEAMBMG is in it"), "[secret] is in it");
    // The words around a key are no secret.
    assert.equal(withKey.redact("a PRIVATE word"), "a PRIVATE word");
  });

  it("is what stands under a name of a secret, and no path", () => {
    const labels = { api_token: "abc", owner: "ml", tokenFile: "/etc/token", password: "/etc/password" };
    assert.deepEqual(redact({ labels }), { labels: { ...labels, api_token: "[secret]" } });
  });
});
