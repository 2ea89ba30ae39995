/** What is in certificates and meta.json is put there by others, and the page of metrics holds it as labels. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Registry } from "prom-client";
import type { DaemonEvent } from "../../src/core/events.ts";
import { countEvents } from "../../src/observe/metrics.ts";
import * as events from "../support/events.ts";
import { generationOf } from "../support/notice.ts";

/** A line of the text format, whole: https://prometheus.io/docs/instrumenting/exposition_formats/ */
const LINE =
  /^[a-zA-Z_:][a-zA-Z0-9_:]*(\{([a-zA-Z_][a-zA-Z0-9_]*="(\\[\\"n]|[^\\"\n])*",?)*\})? ([-+]?\d[\d.e+-]*|NaN|[-+]Inf)$/;
const HOSTILE = 'CN="}\\\n# HELP x\nx{a="1"} 2\r\n\u2028\u0000🔑';

describe("names in a certificate", () => {
  it("are shortened where they are absurdly long, and it is said how much is left out", async () => {
    const page = await pageOf(named(`CN=${"a".repeat(700_000)}`));
    assert.match(page, /subject="CN=a{253}… \(699747 more\)",issuer="CN=a{253}… \(699747 more\)"/);
    assert.ok(page.length < 20_000, `${page.length} characters`);
  });

  it("are whole where they have an ordinary length", async () => {
    assert.ok((await pageOf(named(`CN=${"a".repeat(253)}`))).includes(`subject="CN=${"a".repeat(253)}",`));
  });

  it("are never cut within a character", async () => {
    const page = await pageOf(named(`CN=${"🔑".repeat(1_000)}`));
    assert.ok(page.includes(`CN=${"🔑".repeat(126)}… (1748 more)`));
    assert.equal(Buffer.from(page).toString(), page);
  });

  for (const [what, text] of [
    ["once", HOSTILE],
    ["very often", HOSTILE.repeat(20_000)],
    ["so that it is cut after a backslash", `${"a".repeat(255)}${"\\".repeat(1_000)}`],
    ["so that it is cut after a quote", `${"a".repeat(255)}${'"'.repeat(1_000)}`],
  ] as const) {
    it(`leave the page one that can be read where they hold all that means something in it, ${what}`, async () => {
      const page = await pageOf(named(text), events.labelled({ model: text.slice(0, 128) }));
      const lines = page.split("\n").filter((line) => line !== "" && !/^# (HELP|TYPE) \w+ /.test(line));
      assert.deepEqual(
        lines.filter((line) => !LINE.test(line)),
        [],
      );
      assert.equal(lines.filter((line) => line.startsWith("tls_cert_not_after_seconds{")).length, 1);
    });
  }
});

function named(name: string): DaemonEvent {
  const generation = generationOf("inference", "live");
  const leaf = generation.leaf && { ...generation.leaf, subject: name, issuer: name };
  return events.live({ ...generation, leaf });
}

async function pageOf(...list: readonly DaemonEvent[]): Promise<string> {
  const registry = new Registry();
  const report = countEvents(registry, "1.2.3");
  for (const event of list) report(event);
  return registry.metrics();
}
