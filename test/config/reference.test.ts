/** What is made from the schema of the configuration is up to date, and what is written by hand agrees with it. */
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { before, describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { Ajv, type ValidateFunction } from "ajv";
import { parse } from "yaml";
import { MADE } from "../../scripts/docs/made.ts";
import { describeSettings, type SettingSchema } from "../../src/config/json-schema.ts";
import { OVERRIDES } from "../../src/config/overrides.ts";
import { configOf, problemsOf } from "../support/config.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));

/** Every setting, shown with its default. */
const EXAMPLE = join(ROOT, "deploy/keyturn.yaml");

describe("what is made from the sources", () => {
  for (const [path, make] of Object.entries(MADE)) {
    it(`is up to date: ${path}`, async () => {
      const kept = await readFile(join(ROOT, path), "utf8");
      assert.ok(kept === make(), `${path} is stale: npm run docs`);
    });
  }
});

describe("the reference", () => {
  it("says of every setting what it means, and of those without a default or a flag what may be written", () => {
    const settings = settingsIn(describeSettings(), []);
    assert.ok(settings.length > 80, String(settings.length));
    for (const { path, schema } of settings) assert.match(schema.description ?? "", /\w/, path);
  });

  it("has the flags, the variables and the names of every setting", () => {
    const page = MADE["docs/configuration.md"]?.() ?? "";
    for (const { flag, variable } of OVERRIDES) {
      assert.ok(page.includes(`\`${flag}\` \`${variable}\``), flag);
    }
    for (const { path } of settingsIn(describeSettings(), [])) {
      const name = path.slice(path.lastIndexOf(".") + 1);
      const isThere = [`| \`${name}\` `, `| [\`${name}\`](#`, `\n## ${path}\n`, `\n## ${path}[]\n`];
      assert.ok(
        isThere.some((form) => page.includes(form)),
        path,
      );
    }
  });

  it("has links that lead to its headings", () => {
    const page = MADE["docs/configuration.md"]?.() ?? "";
    const anchors = [...page.matchAll(/^#+ (.*)$/gm)].map(([, text = ""]) =>
      text.toLowerCase().replace(/[^a-z0-9-]/g, ""),
    );
    const links = [...page.matchAll(/\]\(#([^)]*)\)/g)].map(([, anchor = ""]) => anchor);
    assert.ok(links.length > 10);
    assert.deepEqual(
      links.filter((link) => !anchors.includes(link)),
      [],
    );
  });
});

describe("the JSON Schema", () => {
  let validate: ValidateFunction;
  before(async () => {
    const ajv = new Ajv({ strict: true, strictRequired: false, allErrors: true, formats: { uri: true } });
    validate = ajv.compile(JSON.parse(await readFile(join(ROOT, "keyturn.schema.json"), "utf8")));
  });

  it("accepts deploy/keyturn.yaml, as keyturn does", async (t) => {
    const text = await readFile(EXAMPLE, "utf8");
    await configOf(t, text);
    assert.ok(validate(parse(text)), JSON.stringify(validate.errors));
  });

  it("accepts every value that it gives as an example, as keyturn does", async (t) => {
    for (const { path, schema } of settingsIn(describeSettings(), [])) {
      if (schema.sample === undefined || path.includes("[]") || path.startsWith("renewal")) continue;
      const parts = path.split(".").reverse();
      const inner = { certFile: { keyFile: "a" }, keyFile: { certFile: "a" } }[parts[0] ?? ""] ?? {};
      const value = parts.reduce<unknown>(
        (so, name, at) => ({ ...(at === 0 ? inner : {}), [name]: so }),
        schema.sample,
      );
      assert.ok(validate(value), `${path}: ${JSON.stringify(validate.errors)}`);
      await configOf(t, JSON.stringify(value));
    }
  });

  const service = (more: string) => `services: [{name: a, bundles: [b], ${more}}]`;
  for (const text of [
    "etcd: {prefx: /a/}",
    "etcd: {prefix: certs}",
    "etcd: {endpoints: []}",
    "etcd: {endpoints: ['http://user:pass@host:2379']}",
    "etcd: {tls: {certFile: a}}",
    "etcd: {resyncEvery: 5}",
    "etcd: {resyncEvery: 5 minutes}",
    "output: {keep: 0}",
    "output: {keep: five}",
    "output: {mode: 0600}",
    'output: {mode: "0644"}',
    "output: {onDelete: drop}",
    "bundles: {include: [UPPER]}",
    "checks: {trustGuard: maybe}",
    "checks: {rules: [{minRemaining: 1h}]}",
    "queue: {concurrency: 65}",
    "expiry: {warnBelow: 33}",
    "renewal: {}",
    "admin: {listen: localhost}",
    "log: {level: loud}",
    service("notify: {}"),
    service("notify: {none: {}, http: {url: 'http://x/'}}"),
    service("notify: {http: {url: 'ftp://x/'}}"),
    service("notify: {none: {}}, verify: {every: 1m}"),
    service("notify: {none: {}}, files: [{path: a.pem, content: cert}]"),
    service("notify: {none: {}}, files: [{path: /a.pem, content: cert, mode: '0666'}]"),
    "services: [{name: a, notify: {none: {}}}]",
  ]) {
    it(`refuses, as keyturn does: ${text}`, async (t) => {
      assert.ok((await problemsOf(t, text)).length > 0);
      assert.equal(validate(parse(text)), false);
    });
  }

  it("says nothing of the machine it was made on", async () => {
    const { properties } = JSON.parse(await readFile(join(ROOT, "keyturn.schema.json"), "utf8"));
    assert.equal("default" in properties.node, false);
  });
});

describe("deploy/keyturn.yaml", () => {
  it("shows defaults as they are", async () => {
    const text = await readFile(EXAMPLE, "utf8");
    const shown = settingsIn(describeSettings(), []).flatMap(({ path, schema }) => {
      const value = valueAt(parse(text), path);
      const { default: byDefault, shownDefault } = schema;
      if (value === undefined || byDefault === undefined || shownDefault !== undefined) return [];
      return isGroup(byDefault) || path === "services" ? [] : [{ path, value, byDefault }];
    });
    assert.ok(shown.length > 25, String(shown.length));
    for (const { path, value, byDefault } of shown) assert.deepEqual(value, byDefault, path);
  });
});

interface Setting {
  /** `services[].name`. */
  readonly path: string;
  readonly schema: SettingSchema;
}

function settingsIn({ properties = {} }: SettingSchema, above: readonly string[]): Setting[] {
  return Object.entries(properties).flatMap(([name, schema]) => {
    const path = [...above, name].join(".");
    const inner = schema.items?.properties === undefined ? schema : schema.items;
    const below = inner === schema ? name : `${name}[]`;
    return [{ path, schema }, ...settingsIn(inner, [...above, below])];
  });
}

/** What is there; of the first item, where it is a list. */
function valueAt(tree: unknown, path: string): unknown {
  return path.split(".").reduce<unknown>((at, part) => {
    const value = isGroup(at) ? at[part.replace("[]", "")] : undefined;
    return part.endsWith("[]") && Array.isArray(value) ? value[0] : value;
  }, tree);
}

function isGroup(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
