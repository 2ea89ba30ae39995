/** Reads the configuration: flags over environment over file over defaults; every problem is reported, with its place. */
import { readFile } from "node:fs/promises";
import { type Document, isMap, isNode, LineCounter, parseDocument } from "yaml";
import type { z } from "zod";
import { KeyturnError, messageOf } from "../core/errors.ts";
import { nearest } from "../core/nearest.ts";
import { describeSettings, type SettingSchema } from "./json-schema.ts";
import { OVERRIDES, parseOverride } from "./overrides.ts";
import { type Config, configSchema } from "./schema.ts";

/** Where the settings come from. */
export interface ConfigSources {
  /** The YAML file; undefined for none. */
  readonly file: string | undefined;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Values of the command line by flag (`--output-dir`). */
  readonly flags: Readonly<Record<string, string | undefined>>;
}

type Path = readonly PropertyKey[];

/**
 * Loads and checks the configuration.
 *
 * @throws KeyturnError CONFIG_INVALID: one line for each problem with file, line, column, setting and what was expected.
 */
export async function loadConfig({ file, env, flags }: ConfigSources): Promise<Config> {
  const source = file === undefined ? undefined : new ConfigFile(file, await readText(file));
  const raw = source?.values() ?? {};
  const origins = new Map<string, string>();
  for (const override of OVERRIDES) {
    const flag = flags[override.flag];
    const text = flag ?? env[override.variable];
    if (text === undefined) continue;
    setIn(raw, override.path, parseOverride(override, text));
    origins.set(override.path.join("."), flag === undefined ? override.variable : override.flag);
  }
  const parsed = configSchema.safeParse(raw);
  if (parsed.success) return parsed.data;
  const placeOf = (path: Path) => originOf(path, origins) ?? source?.placeOf(path) ?? "configuration";
  const lines = parsed.error.issues.flatMap((issue) => describe(issue, placeOf));
  throw new KeyturnError("CONFIG_INVALID", lines.join("\n"));
}

class ConfigFile {
  readonly #file: string;
  readonly #document: Document;
  readonly #lines = new LineCounter();

  constructor(file: string, text: string) {
    this.#file = file;
    this.#document = parseDocument(text, { lineCounter: this.#lines, prettyErrors: false });
    const [error] = this.#document.errors;
    if (error !== undefined) {
      throw new KeyturnError("CONFIG_INVALID", `${this.#at(error.pos[0])}: not YAML: ${error.message}`);
    }
  }

  /** The content as plain values; an empty file has none. */
  values(): Record<string, unknown> {
    const values = this.#toValues() ?? {};
    if (typeof values === "object" && !Array.isArray(values)) return values as Record<string, unknown>;
    throw new KeyturnError("CONFIG_INVALID", `${this.#at(0)}: expected settings, such as "etcd:"`);
  }

  #toValues(): unknown {
    try {
      return this.#document.toJS({ maxAliasCount: 100 });
    } catch (cause) {
      // Aliases that lead nowhere, or to far too much.
      throw new KeyturnError("CONFIG_INVALID", `${this.#at(0)}: not YAML: ${messageOf(cause)}`, { cause });
    }
  }

  /** Line and column of a setting, or of the nearest thing around it that is in the file. */
  placeOf(path: Path): string {
    for (let length = path.length; length > 0; length--) {
      const offset = this.#offsetOf(path.slice(0, length));
      if (offset !== undefined) return this.#at(offset);
    }
    return this.#at(0);
  }

  #offsetOf(path: Path): number | undefined {
    const parent =
      path.length === 1 ? this.#document.contents : this.#document.getIn(path.slice(0, -1), true);
    if (isMap(parent)) {
      const pair = parent.items.find(({ key }) => String(key) === String(path.at(-1)));
      return isNode(pair?.key) ? pair.key.range?.[0] : undefined;
    }
    const node = this.#document.getIn(path, true);
    return isNode(node) ? node.range?.[0] : undefined;
  }

  #at(offset: number): string {
    const { line, col } = this.#lines.linePos(offset);
    return `${this.#file}:${line}:${col}`;
  }
}

function describe(issue: z.core.$ZodIssue, placeOf: (path: Path) => string): string[] {
  if (issue.code !== "unrecognized_keys") {
    return [`${placeOf(issue.path)}: ${dotted(issue.path)}: ${issue.message}`];
  }
  const names = namesAt(issue.path);
  return issue.keys.map((key) => {
    const path = [...issue.path, key];
    return `${placeOf(path)}: ${dotted(path)}: there is no such setting; ${whatThereIs(key, names)}`;
  });
}

function whatThereIs(key: string, names: readonly string[]): string {
  const meant = nearest(key, names);
  if (meant !== undefined) return `did you mean ${meant}?`;
  return names.length === 0 ? "nothing is set here" : `what there is: ${names.join(", ")}`;
}

/** The settings there are at a place. */
function namesAt(path: Path): readonly string[] {
  let at: SettingSchema | undefined = describeSettings();
  for (const part of path) at = typeof part === "number" ? at?.items : at?.properties?.[String(part)];
  return Object.keys(at?.properties ?? {});
}

function originOf(path: Path, origins: ReadonlyMap<string, string>): string | undefined {
  for (let length = path.length; length > 0; length--) {
    const origin = origins.get(dotted(path.slice(0, length)));
    if (origin !== undefined) return origin;
  }
  return undefined;
}

function dotted(path: Path): string {
  return path.map(String).join(".");
}

/** Sets a value in a tree of plain objects; what stands in the way, the check will report. */
function setIn(tree: Record<string, unknown>, path: readonly string[], value: unknown): void {
  let at = tree;
  for (const part of path.slice(0, -1)) {
    at[part] ??= {};
    if (typeof at[part] !== "object") return;
    at = at[part] as Record<string, unknown>;
  }
  at[path.at(-1) ?? ""] = value;
}

async function readText(file: string): Promise<string> {
  try {
    return await readFile(file, "utf8");
  } catch (cause) {
    const hint = "--config and KEYTURN_CONFIG name the file; nothing has to be set, so there may be none";
    throw new KeyturnError("CONFIG_INVALID", `cannot read ${file}: ${messageOf(cause)}; ${hint}`, { cause });
  }
}
