import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import type { Inspection } from "../../src/cli/inspect-bundle.ts";
import { takeApart } from "../../src/cli/inspect-bundle.ts";
import { CHECK_OF, type CheckName, checksOf, NOT_REACHED } from "../../src/cli/inspect-checks.ts";
import type { Problem, ProblemCode } from "../../src/core/problem.ts";
import { checksSettings } from "../support/checks-settings.ts";
import type { Values } from "../support/examine.ts";
import { inParts, whole } from "../support/examine.ts";
import { contentsOf, nameOf } from "../support/material.ts";
import { mint, mintAuthority, mintCrl } from "../support/mint.ts";

const ROOT = mintAuthority("Root");
const LEAF = mint({ issuer: ROOT });
const LEAF_CHECKS: readonly CheckName[] = [
  "key",
  "leaf",
  "validity",
  "names",
  "usages",
  "chain",
  "extensions",
  "strength",
  "handshake",
];

describe("the table of checks", () => {
  it("has every problem once, and no other", async () => {
    const path = fileURLToPath(new URL("../../src/core/problem.ts", import.meta.url));
    const [union = ""] = /export type ProblemCode =[^;]*;/.exec(await readFile(path, "utf8")) ?? [];
    const codes = [...union.matchAll(/\| "([A-Z0-9_]+)"/g)].map(([, code]) => code);

    assert.ok(codes.length > 40);
    assert.deepEqual(Object.keys(CHECK_OF).sort(), [...codes].sort());
  });

  it("shows every problem under its check, and no other check as failed", async () => {
    const inspection = await inspectionOf(whole(LEAF, ROOT));
    for (const code of Object.keys(CHECK_OF) as ProblemCode[]) {
      const checks = checksOf({ ...inspection, problems: [problem(code)] });
      const failed = checks.filter(({ problems }) => problems.length > 0);
      assert.deepEqual(
        failed.map(({ name, result, problems }) => [name, result, problems[0]?.code]),
        [[CHECK_OF[code], "failed", code]],
      );
    }
  });
});

describe("checks without a problem", () => {
  it("are all ok of a bundle that has everything", async () => {
    const crl = mintCrl({ issuer: ROOT });
    const inspection = await inspectionOf(whole(LEAF, ROOT, crl));

    assert.deepEqual(namesOf("ok", { ...inspection, meta: { labels: {}, problem: null } }), [
      "content",
      ...LEAF_CHECKS.slice(0, -1),
      "revocation",
      "handshake",
      "labels",
    ]);
  });

  it("were not made where a PKCS#12 file was not opened", async () => {
    const locked = Buffer.from("308204d9020103", "hex");
    const inspection = await inspectionOf({ ".p12": locked }, { proof: null });

    assert.deepEqual(namesOf("ok", inspection), []);
    assert.ok(unreached(inspection).includes("content"));
  });

  it("were not made where there is nothing that can be read", () => {
    const problems = [problem("PEM_MISSING")];
    const inspection = { ...EMPTY, problems };

    assert.deepEqual(namesOf("failed", inspection), ["content"]);
    assert.deepEqual(unreached(inspection), [...LEAF_CHECKS.slice(0, -1), "revocation", "handshake"]);
  });

  it("of the chain were not made where one of its certificates cannot be read", async () => {
    const values = inParts(
      [LEAF, "-----BEGIN CERTIFICATE-----\nMAMCAQE=\n-----END CERTIFICATE-----\n"],
      [ROOT],
    );
    const inspection = await inspectionOf(values, {
      proof: null,
      problems: [problem("CERTIFICATE_UNREADABLE")],
    });

    assert.deepEqual(namesOf("ok", inspection), ["key", "leaf", "names"]);
  });

  it("of revocation were not made where a list cannot be read, and all others were", async () => {
    const damaged = "-----BEGIN X509 CRL-----\nMAMCAQE=\n-----END X509 CRL-----\n";
    const inspection = await inspectionOf(whole(LEAF, ROOT, damaged), { proof: null });

    assert.deepEqual(unreached(inspection), ["revocation", "handshake"]);
  });

  it("of the key were not made where it is not the leaf's and nothing says so", async () => {
    const values = inParts([{ ...LEAF, keyPem: mint().keyPem }], [ROOT]);
    const inspection = await inspectionOf(values);

    assert.ok(unreached(inspection).includes("key"));
  });

  it("of a leaf do not concern a trust bundle", async () => {
    const inspection = await inspectionOf({ "/ca.crt": ROOT.pem }, { proof: null });

    assert.deepEqual(namesOf("ok", inspection), ["content", "validity"]);
    assert.deepEqual(unreached(inspection), []);
  });

  it("say that the end of the chain was not looked at where there is no trust anchor", async () => {
    const chain = checksOf(await inspectionOf(inParts([LEAF], []))).find(({ name }) => name === "chain");

    assert.equal(chain?.result, "ok");
    assert.match(chain.note ?? "", /no trust anchor/);
  });
});

describe("the handshake", () => {
  it("failed where OpenSSL refuses, though another check names the reason", async () => {
    const expired = [problem("CERTIFICATE_EXPIRED")];
    const inspection = await inspectionOf(whole(LEAF, ROOT), { proof: expired, problems: expired });

    assert.deepEqual(namesOf("failed", inspection), ["validity", "handshake"]);
  });

  it("is ok where OpenSSL refuses only an extension that the policy accepts", async () => {
    const proof = [problem("CRITICAL_EXTENSION_UNKNOWN")];
    const tolerated = await inspectionOf(whole(LEAF, ROOT), { proof, problems: [problem("META_INVALID")] });
    const refused = await inspectionOf(whole(LEAF, ROOT), { proof, problems: proof });

    assert.deepEqual(namesOf("failed", tolerated), ["labels"]);
    assert.deepEqual(namesOf("failed", refused), ["extensions", "handshake"]);
  });
});

const EMPTY: Inspection = {
  name: nameOf("demo"),
  now: new Date(),
  contents: null,
  pieces: null,
  meta: null,
  proof: null,
  problems: [],
};

async function inspectionOf(values: Values, changes: Partial<Inspection> = {}): Promise<Inspection> {
  const contents = contentsOf(values);
  const now = new Date();
  const pieces = await takeApart(contents, await checksSettings(), now, new AbortController().signal);
  return { ...EMPTY, now, contents, pieces, proof: [], ...changes };
}

function problem(code: ProblemCode): Problem {
  return { code, message: "something" };
}

function namesOf(result: string, inspection: Inspection): CheckName[] {
  return checksOf(inspection)
    .filter((check) => check.result === result)
    .map(({ name }) => name);
}

function unreached(inspection: Inspection): CheckName[] {
  return checksOf(inspection)
    .filter(({ note }) => note === NOT_REACHED)
    .map(({ name }) => name);
}
