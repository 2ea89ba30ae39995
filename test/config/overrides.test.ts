import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { z } from "zod";
import { OVERRIDES } from "../../src/config/overrides.ts";
import { configSchema } from "../../src/config/schema.ts";

const ONLY_IN_THE_FILE = /^(services|checks\.rules|expiry\..*|renewal\..*|alerts\..*)$/;

describe("the table of flags and variables", () => {
  it("names each the same way", () => {
    const names = OVERRIDES.find(({ path }) => path.join(".") === "etcd.tls.caFile");
    assert.deepEqual([names?.flag, names?.variable], ["--etcd-tls-ca-file", "KEYTURN_ETCD_TLS_CA_FILE"]);
  });

  it("has every setting that is no list of structures, threshold, renewal or alert, and no other", () => {
    const settings = leavesOf(z.toJSONSchema(configSchema, { io: "input", unrepresentable: "any" }));
    assert.deepEqual(
      OVERRIDES.map(({ path }) => path.join(".")).sort(),
      settings.filter((path) => !ONLY_IN_THE_FILE.test(path)).sort(),
    );
  });

  it("has no flag twice", () => {
    assert.equal(new Set(OVERRIDES.map(({ flag }) => flag)).size, OVERRIDES.length);
  });
});

interface SchemaNode {
  readonly properties?: Readonly<Record<string, SchemaNode | boolean>>;
}

function leavesOf(schema: SchemaNode): string[] {
  return Object.entries(schema.properties ?? {}).flatMap(([name, child]) => {
    const below = typeof child === "object" ? leavesOf(child) : [];
    return below.length === 0 ? [name] : below.map((path) => `${name}.${path}`);
  });
}
