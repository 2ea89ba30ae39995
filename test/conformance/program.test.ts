/** `npm run conformance` as it is run: on a real file, with the real checks and the real handshake child. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { limboCase, useLimboFile, useLimboText } from "../support/limbo.ts";
import { createBundleMaker } from "../support/pki.ts";

const PROGRAM = fileURLToPath(new URL("./conformance.ts", import.meta.url));

describe("npm run conformance", () => {
  it("judges certificates as the daemon does, and says where the file thinks otherwise", async (t) => {
    const file = await useLimboFile(t, await suite());
    const { code, stdout } = await conformance(file, "--json");
    const result = JSON.parse(stdout);
    assert.deepEqual([result.broken, result.hung, result.crashed, result.contained], [[], [], [], []]);
    assert.deepEqual(result.falseAccepts.map(idOf), ["odd::good-is-expected-to-fail"]);
    assert.deepEqual(
      result.falseRejects.map((refusal: Refusal) => [refusal.id, refusal.problems.map(({ code }) => code)]),
      [["odd::expired-is-expected-to-succeed", ["CERTIFICATE_EXPIRED"]]],
    );
    assert.deepEqual(Object.values(result.notApplicable), [["good::no-key"], ["good::another-time"]]);
    assert.deepEqual([result.cases, result.agreement, code], [11, 7, 0]);
  });

  it("prints the same for a person", async (t) => {
    const file = await useLimboFile(t, await suite());
    const { code, stdout } = await conformance(file, "--only", "good::*", "--only", "bad::name");
    assert.match(stdout, /^Node .*, OpenSSL /);
    assert.match(stdout, /^agreement +3 of 3 compared \(100\.0 %\)$/m);
    assert.match(stdout, /^not applicable +2$/m);
    assert.equal(code, 0);
  });

  it("fails with --strict where keyturn and the file do not agree", async (t) => {
    const file = await useLimboFile(t, await suite());
    assert.equal((await conformance(file, "--strict", "--only", "bad::name")).code, 0);
    assert.equal((await conformance(file, "--strict", "--only", "odd::good*")).code, 1);
    assert.equal((await conformance(file, "--strict", "--only", "odd::expired*")).code, 1);
  });

  it("fails where a case cannot be judged in time", async (t) => {
    const file = await useLimboFile(t, await suite());
    const { code, stdout } = await conformance(file, "--deadline=1", "--only", "good::*");
    assert.match(stdout, /^hung +[1-9]/m);
    assert.equal(code, 1);
  });

  it("says so where it cannot be run", async (t) => {
    const missing = await conformance("/no/such/limbo.json");
    assert.deepEqual([missing.code, missing.stdout], [2, ""]);
    assert.match(missing.stderr, /\/no\/such\/limbo\.json/);
    const torn = await conformance(await useLimboText(t, '{"version": 1, "testcases": ['));
    assert.equal(torn.code, 2);
    assert.match(torn.stderr, /not a file in the x509-limbo format/);
    const wrong = await conformance();
    assert.equal(wrong.code, 2);
    assert.match(wrong.stderr, /usage: /);
  });
});

interface Refusal {
  readonly id: string;
  readonly problems: readonly { readonly code: string }[];
}

function idOf({ id }: Refusal): string {
  return id;
}

/** Eleven cases: seven that keyturn agrees with, two that it does not, and two that it has no answer to. */
async function suite(): Promise<object[]> {
  const { root, intermediate } = await createBundleMaker();
  const other = await createBundleMaker();
  const good = await intermediate.issue(["example.com"]);
  const expired = await intermediate.issue(["example.com"], -30_000);
  const of = ({ certificatePem, privateKeyPem }: typeof good) => ({
    peer_certificate: certificatePem,
    peer_certificate_key: privateKeyPem,
    untrusted_intermediates: [intermediate.certificatePem],
    trusted_certs: [root.certificatePem],
  });
  const fails = { ...of(good), expected_result: "FAILURE" };
  return [
    limboCase("good::server", of(good)),
    limboCase("good::client", { ...of(good), validation_kind: "CLIENT", extended_key_usage: ["clientAuth"] }),
    limboCase("good::no-key", { ...of(good), peer_certificate_key: null }),
    limboCase("good::another-time", { ...of(good), validation_time: "2001-01-01T00:00:00Z" }),
    limboCase("bad::expired", { ...fails, ...of(expired) }),
    limboCase("bad::name", { ...fails, expected_peer_name: { kind: "DNS", value: "example.org" } }),
    limboCase("bad::no-intermediate", { ...fails, untrusted_intermediates: [] }),
    limboCase("bad::not-trusted", { ...fails, trusted_certs: [other.root.certificatePem] }),
    limboCase("bad::no-certificate", { ...fails, peer_certificate: "" }),
    limboCase("odd::good-is-expected-to-fail", fails),
    limboCase("odd::expired-is-expected-to-succeed", of(expired)),
  ];
}

function conformance(...words: readonly string[]) {
  const argv = ["--import", "tsx", PROGRAM, ...words];
  return new Promise<{ readonly code: number; readonly stdout: string; readonly stderr: string }>(
    (resolve) => {
      const child = execFile(process.execPath, argv, { timeout: 120_000 }, (_, stdout, stderr) => {
        resolve({ code: child.exitCode ?? -1, stdout, stderr });
      });
    },
  );
}
