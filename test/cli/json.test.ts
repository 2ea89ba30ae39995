/** docs/json.md says what `--json` prints: every field that is there, and none that is not. */
import assert from "node:assert/strict";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { answerRetry, answerRollback } from "../../src/admin/change.ts";
import { boardAfter } from "../support/board.ts";
import { runKeyturn } from "../support/daemon.ts";
import * as events from "../support/events.ts";
import { useFolder } from "../support/folder.ts";
import { nameOf } from "../support/material.ts";
import { mint } from "../support/mint.ts";
import { generationOf } from "../support/notice.ts";

const PAGE = fileURLToPath(new URL("../../docs/json.md", import.meta.url));
const LIVE = generationOf("inference", "live");
const NEXT = generationOf("inference", "current", 2);
const ENGINE = { name: "engine", stage: 1, bundles: ["*"], notify: "http", verify: ["tls"] };
const LEAF = LIVE.leaf && { ...LIVE.leaf, ipAddresses: ["10.0.0.7"], uris: ["spiffe://a/b"] };

describe("what --json prints", () => {
  it("is, of a status, what docs/json.md says", async () => {
    const samples = [
      boardAfter(events.disconnected, events.snapshot(), events.rejected()),
      boardAfter(
        ...[events.connected, events.snapshot(), events.labelled({ model_version: "7b" })],
        ...[events.live({ ...LIVE, leaf: LEAF }), events.looked("wrong_cert"), events.told()],
        ...[events.drifted("ENOSPC"), events.expiring(90_000), events.quarantined(NEXT)],
      ),
      boardAfter(events.startedWith(ENGINE), events.accepted(), events.live(), events.alertActed("done")),
      boardAfter(events.recovered(events.givenUp(NEXT, LIVE)), events.failed(null)),
    ];
    await agree("keyturn status --json", samples);
  });

  it("is, of a change, what docs/json.md says", async () => {
    const name = nameOf("inference");
    const samples = [
      answerRollback(name, {
        kind: "rolledBack",
        ...{ generation: LIVE, from: NEXT, message: "an operator asked for it", unfinished: "vllm" },
      }),
      answerRetry(name, { kind: "rejected", problems: [events.KEY_MISMATCH] }),
    ].map(({ body }) => JSON.parse(body));
    await agree("keyturn rollback NAME --json, keyturn retry NAME --json", samples);
  });

  it("is, of a configuration, what docs/json.md says", async (t) => {
    const folder = await useFolder(t);
    const [good, bad] = [join(folder, "good.yaml"), join(folder, "bad.yaml")];
    await writeFile(good, "{}");
    await writeFile(bad, "nodes: a");
    const results = await Promise.all(
      [good, bad].map((file) => runKeyturn(["check-config", "--json", "--config", file])),
    );
    await agree(
      "keyturn check-config --json",
      results.map(({ stdout }) => JSON.parse(stdout)),
    );
  });

  it("is, of an inspection, what docs/json.md says", async (t) => {
    const folder = await useFolder(t);
    const root = mint({ subject: "CN=root", ca: true });
    const leaf = mint({ issuer: root });
    const [good, bad] = [join(folder, "good.pem"), join(folder, "bad.pem")];
    await writeFile(good, leaf.pem + leaf.keyPem + root.pem);
    await writeFile(bad, leaf.pem + root.keyPem + root.pem + mint().pem);
    const results = await Promise.all([good, bad].map((file) => runKeyturn(["inspect", file, "--json"])));
    const samples = results.map(({ stdout }) => JSON.parse(stdout));
    await agree("keyturn inspect --json", samples, ["crls[].*", "anchors[].*", "unused[].*"]);
  });

  it("has sections for history and put too", async () => {
    const page = await readFile(PAGE, "utf8");
    for (const command of ["history", "put"])
      assert.ok(page.includes(`\n## keyturn ${command} NAME --json\n`));
  });
});

/** @param unseen Rows that no sample has. */
async function agree(
  heading: string,
  samples: readonly unknown[],
  unseen: readonly string[] = [],
): Promise<void> {
  const page = await readFile(PAGE, "utf8");
  const section = page.split("\n## ").find((part) => part.startsWith(`${heading}\n`)) ?? "";
  const rows = [...section.matchAll(/^\| `([^`]+)` \|/gm)].map(([, field = ""]) => field);
  assert.ok(rows.length > 4, heading);
  const found = new Set(samples.flatMap((sample) => [...fieldsOf(sample, "")]));
  const isCovered = (row: string, field: string) =>
    row === field || (row.endsWith(".*") && field.startsWith(row.slice(0, -1)));
  for (const field of found) {
    const isSaid = rows.some(
      (row) => isCovered(row, field) || row.startsWith(`${field}.`) || row === `${field}[]`,
    );
    assert.ok(
      isSaid || rows.some((row) => row.startsWith(`${field}[].`)),
      `docs/json.md does not say: ${field}`,
    );
  }
  for (const row of rows) {
    if (unseen.includes(row)) continue;
    assert.ok(
      [...found].some((field) => isCovered(row, field)),
      `nothing has it: ${row}`,
    );
  }
}

/** Paths of everything that is no object and no list; of what is null or empty, its own. */
function* fieldsOf(value: unknown, path: string): Generator<string> {
  if (Array.isArray(value)) {
    if (value.length === 0) yield path;
    for (const item of value) yield* fieldsOf(item, `${path}[]`);
  } else if (typeof value === "object" && value !== null) {
    const entries = Object.entries(value);
    if (entries.length === 0) yield path;
    for (const [name, inner] of entries) yield* fieldsOf(inner, path === "" ? name : `${path}.${name}`);
  } else {
    yield path;
  }
}
