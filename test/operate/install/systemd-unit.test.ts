/** The systemd unit and its drop-ins are right by systemd's own judgement, and as closed as docs/install.md says. */
import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { describe, it } from "node:test";
import { codeUnder, readPage } from "../../support/markdown.ts";
import { DROP_INS, readUnit, useUnitRoot } from "../../support/systemd.ts";

/** A line of the table of scores: drop-in, score. */
const SCORE = /^\| (?:as it is|with `([\w.-]+)`) +\| (\d+\.\d)/gm;

describe("the systemd unit", () => {
  for (const dropIns of [[], ...DROP_INS.map((name) => [name]), DROP_INS]) {
    it(`is right, with ${dropIns.join(" and ") || "nothing"} besides it`, async (t) => {
      const root = await useUnitRoot(t, dropIns);
      assert.deepEqual(await root.verify(), { code: 0, stdout: "", stderr: "" });
    });
  }

  it("would not be right with a misspelt setting", async (t) => {
    const root = await useUnitRoot(t, []);
    await writeFile(root.unit, (await readUnit()).replace("WatchdogSec=", "WatchdogSeconds="));
    assert.match((await root.verify()).stderr, /WatchdogSeconds/);
  });

  it("is as closed as docs/install.md says, by the same version of systemd", async (t) => {
    const page = await readPage("docs/install.md");
    const rows = [...page.matchAll(SCORE)].map(([, dropIn, score]) => ({ dropIn, score }));
    assert.deepEqual(
      rows.map(({ dropIn }) => dropIn),
      [undefined, ...DROP_INS],
    );
    for (const { dropIn, score } of rows) {
      const found = await (await useUnitRoot(t, dropIn === undefined ? [] : [dropIn])).security();
      if (!page.includes(`systemd ${found.version}`)) return t.skip(`systemd ${found.version} counts anew`);
      assert.equal(score, found.score, dropIn);
    }
  });

  it("takes the addresses of docs/install.md", async (t) => {
    const [addresses = ""] = await codeUnder("docs/install.md", "How closed it is", "ini");
    assert.match(addresses, /^IPAddressDeny=any$/m);
    const root = await useUnitRoot(t, [], addresses);
    assert.deepEqual(await root.verify(), { code: 0, stdout: "", stderr: "" });
  });

  it("lets Node compile JavaScript, which it cannot without writable executable memory", async () => {
    assert.doesNotMatch(await readUnit(), /^MemoryDenyWriteExecute/m);
  });
});
