import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { generateKeyPairSync } from "node:crypto";
import { join } from "node:path";
import { before, describe, it } from "node:test";
import { partByName, readGiven, wholePart } from "../../src/cli/inspect-files.ts";
import { MAX_VALUE_BYTES } from "../../src/core/snapshot.ts";
import { writeBundleFiles } from "../support/bundle-files.ts";
import { useFolder } from "../support/folder.ts";
import { mint } from "../support/mint.ts";
import { writePkcs12 } from "../support/pkcs12.ts";

const PEM = Buffer.from("-----BEGIN CERTIFICATE-----");
let pkcs12: Buffer;
before(() => {
  const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  pkcs12 = writePkcs12({ keys: [privateKey], passphrase: "secret" });
});

describe("a file by its name", () => {
  for (const [name, part] of [
    ["/etc/tls/tls.crt", "tls.crt"],
    ["tls.key", "tls.key"],
    ["ca.crl", "ca.crl"],
    ["meta.json", "meta.json"],
    ["ca.crt", "ca.crt"],
    ["pki/ca.pem", "ca.crt"],
    ["CA.cer", "ca.crt"],
    ["ca-bundle.crt", "ca.crt"],
    ["cacert.pem", "ca.crt"],
    ["ca-certificates.crt", "ca.crt"],
    ["ca-chain.pem", "whole"],
    ["chain.pem", "whole"],
    ["local.crt", "whole"],
    ["bundle.p12", "whole"],
  ] as const) {
    it(`${name} is ${part}`, () => assert.equal(partByName(name, PEM), part));
  }

  it("is never what its bytes are not: PKCS#12 is that under any name", () => {
    for (const name of ["bundle", "tls.crt", "ca.pem"]) assert.equal(partByName(name, pkcs12), "pkcs12");
  });

  it("is PKCS#12 also where only its name says so", () => {
    const strange = Buffer.from("3080020107", "hex");
    assert.equal(partByName("bundle.pfx", strange), "pkcs12");
    assert.equal(partByName("bundle.pem", strange), "whole");
  });
});

describe("a file that is a whole bundle", () => {
  it("is PEM or PKCS#12, whatever its name", () => {
    assert.equal(wholePart("ca.crt", PEM), "whole");
    assert.equal(wholePart("ca.crt", pkcs12), "pkcs12");
    assert.equal(wholePart("a.pem", Buffer.from("3080020103", "hex")), "pkcs12");
    assert.equal(wholePart("a.pem", mint().der), "whole");
  });
});

describe("reading a file", () => {
  it("gives its bytes, and whether everybody may read it", async (t) => {
    const files = await writeBundleFiles(t, { shut: "a", open: "b" }, ["open"]);

    const [shut, open] = await Promise.all([
      readGiven(files.shut, wholePart),
      readGiven(files.open, wholePart),
    ]);

    assert.deepEqual([shut.isOpenToAll, open.isOpenToAll], [false, true]);
    assert.deepEqual(Buffer.from(shut.entry.value ?? []).toString(), "a");
    assert.equal(shut.entry.key, files.shut);
  });

  it("that is too large gives how large it is, and nothing of it", async (t) => {
    const { large } = await writeBundleFiles(t, { large: Buffer.alloc(3 * MAX_VALUE_BYTES) });

    const { entry } = await readGiven(large, wholePart);

    assert.deepEqual([entry.value, entry.bytes], [null, 3 * MAX_VALUE_BYTES]);
  });

  it("of exactly the most that etcd is read for gives all of it", async (t) => {
    const { most } = await writeBundleFiles(t, { most: Buffer.alloc(MAX_VALUE_BYTES) });

    assert.equal((await readGiven(most, wholePart)).entry.value?.length, MAX_VALUE_BYTES);
  });

  it("reads a pipe to its end", async (t) => {
    const pipe = join(await useFolder(t), "pipe");
    execFileSync("sh", ["-c", 'mkfifo "$0"', pipe]);
    const writer = spawn("sh", ["-c", 'printf one > "$0"', pipe]);
    t.after(() => writer.kill("SIGKILL"));

    const { entry } = await readGiven(pipe, wholePart);

    assert.equal(Buffer.from(entry.value ?? []).toString(), "one");
  });

  it("that is not there, or is a folder, is refused as a command line that is wrong", async (t) => {
    const folder = await useFolder(t);

    await assert.rejects(readGiven(join(folder, "none"), wholePart), { code: "USAGE", message: /ENOENT/ });
    await assert.rejects(readGiven(folder, wholePart), { code: "USAGE", message: /EISDIR/ });
  });
});
