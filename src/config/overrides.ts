/** Settings that can also come from the environment or the command line, made from the schema: one source names them. */
import { shortOf } from "./about.ts";
import { describeSettings, type SettingSchema } from "./json-schema.ts";

/** One setting that a flag or a variable may override. */
export interface Override {
  readonly path: readonly string[];
  /** `--etcd-endpoints`. */
  readonly flag: string;
  /** `KEYTURN_ETCD_ENDPOINTS`. */
  readonly variable: string;
  /** Several values, separated by commas. */
  readonly isList: boolean;
  readonly isNumber: boolean;
  /** The few values it may have; empty where there are more. */
  readonly choices: readonly string[];
  /** Whether it is the path of one; null where it is neither. */
  readonly names: "file" | "dir" | null;
  readonly help: string;
}

/** Everything but lists of structures, and what the schema says belongs in the file only. */
export const OVERRIDES: readonly Override[] = overridesOf(describeSettings(), []);

function overridesOf(schema: SettingSchema, path: readonly string[]): Override[] {
  const { properties, items, fileOnly } = schema;
  if (fileOnly || items?.properties !== undefined) return [];
  if (properties === undefined) return [overrideOf(schema, path)];
  return Object.entries(properties).flatMap(([name, child]) => overridesOf(child, [...path, name]));
}

function overrideOf(
  { type, title, description = "", enum: values = [] }: SettingSchema,
  path: readonly string[],
) {
  const words = path.flatMap((part) =>
    part.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`).split(" "),
  );
  const isList = type === "array";
  return {
    path,
    flag: `--${words.join("-")}`,
    variable: `KEYTURN_${words.join("_").toUpperCase()}`,
    isList,
    isNumber: type === "integer" || type === "number",
    choices: values.map(String),
    names: namedBy(title),
    help: isList ? `${shortOf(description)}, separated by commas` : shortOf(description),
  };
}

function namedBy(title: string | undefined): Override["names"] {
  if (title === "folder") return "dir";
  return title === "path" || title === "absolute path" ? "file" : null;
}

/** A value of the environment or the command line, as the file would have it. */
export function parseOverride({ isList, isNumber }: Override, text: string): unknown {
  if (isList) return text.split(",").map((item) => item.trim());
  return isNumber && /^\d+$/.test(text) ? Number(text) : text;
}
