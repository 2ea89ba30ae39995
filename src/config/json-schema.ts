/** The JSON Schema of `keyturn.yaml`: for editors, for the reference, and for the names of flags and variables. */
import { z } from "zod";
import { configSchema } from "./schema.ts";

/** A schema of JSON Schema draft-07, as far as it is read here. */
export interface SettingSchema {
  readonly type?: string;
  readonly title?: string;
  readonly description?: string;
  readonly default?: unknown;
  readonly enum?: readonly unknown[];
  readonly minimum?: number;
  readonly maximum?: number;
  readonly properties?: Readonly<Record<string, SettingSchema>>;
  readonly required?: readonly string[];
  readonly items?: SettingSchema;
  /** Of keyturn's own: see {@link import("./about.ts").SettingNotes}. */
  readonly sample?: unknown;
  readonly shownDefault?: string;
  readonly fileOnly?: boolean;
}

const OWN_NOTES = ["sample", "shownDefault", "fileOnly"];

/** Every setting as it may be written, with keyturn's own notes. */
export function describeSettings(): SettingSchema {
  // Draft 07 is what editors read.
  return z.toJSONSchema(configSchema, { io: "input", target: "draft-7" }) as SettingSchema;
}

/** What editors get: the same without keyturn's own notes, and without what depends on this machine. */
export function jsonSchemaOfConfig(): object {
  const { $schema, ...rest } = withoutNotes(describeSettings()) as Record<string, unknown>;
  return {
    $schema,
    title: "keyturn.yaml",
    description: "Configuration of keyturn, which turns the TLS certificates of an inference node as one.",
    ...rest,
  };
}

function withoutNotes(node: unknown): unknown {
  if (Array.isArray(node)) return node.map(withoutNotes);
  if (typeof node !== "object" || node === null) return node;
  const entries = Object.entries(node).filter(([key]) => !OWN_NOTES.includes(key));
  const isComputed = "shownDefault" in node;
  const kept = entries.filter(([key, value]) => key !== "default" || !(isComputed || isEmptyObject(value)));
  const examples = "sample" in node ? { examples: [node.sample] } : {};
  return { ...Object.fromEntries(kept.map(([key, value]) => [key, withoutNotes(value)])), ...examples };
}

/** The default of a group of settings says nothing: each has its own. */
function isEmptyObject(value: unknown): boolean {
  return (
    typeof value === "object" && value !== null && !Array.isArray(value) && Object.keys(value).length === 0
  );
}
