import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, it } from "node:test";
import { readPassphrase } from "../../src/preflight/passphrase.ts";
import { useFolder } from "../support/folder.ts";
import { usePassphrase } from "../support/unlock.ts";

describe("a passphrase", () => {
  for (const [what, text, expected] of [
    ["as it stands", "open", "open"],
    ["without the line ending at its end", "open\n", "open"],
    ["without a line ending of Windows", "open\r\n", "open"],
    ["with all but one of its line endings", "open\n\n", "open\n"],
    ["with its spaces", " open ", " open "],
    ["where it is empty", "\n", ""],
    ["of 1024 bytes", `${"x".repeat(1_024)}\r\n`, "x".repeat(1_024)],
  ] as const) {
    it(`is read ${what}`, async (t) => {
      const read = await readPassphrase(await usePassphrase(t, text));
      assert.equal(read.ok && Buffer.from(read.passphrase.reveal()).toString(), expected);
    });
  }

  it("is read anew each time: it may change with the key", async (t) => {
    const file = join(await useFolder(t), "passphrase");
    const texts = [];
    for (const text of ["one", "other"]) {
      await writeFile(file, text);
      const read = await readPassphrase(file);
      texts.push(read.ok && Buffer.from(read.passphrase.reveal()).toString());
    }
    assert.deepEqual(texts, ["one", "other"]);
  });

  it("is refused where it is longer than OpenSSL takes, without showing it", async (t) => {
    const read = await readPassphrase(await usePassphrase(t, "secret".repeat(1_000)));
    assert.match(read.ok ? "" : read.why, /more than 1024 bytes/);
    assert.doesNotMatch(read.ok ? "" : read.why, /secretsecret/);
  });

  it("is refused where its file is a folder", async (t) => {
    const folder = await useFolder(t);
    const read = await readPassphrase(folder);
    assert.match(read.ok ? "" : read.why, /EISDIR/);
  });

  it("is not shown where what was read is", async (t) => {
    const read = await readPassphrase(await usePassphrase(t, "open sesame"));
    assert.doesNotMatch(JSON.stringify(read), /open sesame/);
  });
});
