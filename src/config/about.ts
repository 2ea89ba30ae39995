/** What a setting means, kept with its schema: the reference, the JSON Schema and the help of flags are made from it. */
import type { ZodType } from "zod";

/** What may be said of a setting besides its meaning. Other keys go into the JSON Schema as they are. */
export interface SettingNotes {
  /** What the reference calls its type, such as `duration`. */
  readonly title?: string;
  /** A value as it may be written. */
  readonly sample?: unknown;
  /** In place of the default, where that depends on the node or is computed. */
  readonly shownDefault?: string;
  /** It has no flag and no variable, nor has what is in it. */
  readonly fileOnly?: boolean;
  readonly [key: string]: unknown;
}

/**
 * The schema, with words about it; what was said of it before stays where it is not said anew.
 *
 * @param description A fragment in lower case, which is all that the help of a flag shows; sentences may follow it.
 */
export function about<Schema extends ZodType>(
  description: string,
  schema: Schema,
  notes: SettingNotes = {},
): Schema {
  return schema.meta({ ...schema.meta(), description, ...notes });
}

/** The schema of a kind of value: its name in the reference, and its form for editors. */
export function kind<Schema extends ZodType>(
  title: string,
  schema: Schema,
  notes: SettingNotes = {},
): Schema {
  return schema.meta({ ...schema.meta(), title, ...notes });
}

/** The fragment that a description begins with. */
export function shortOf(description: string): string {
  return description.replace(/\.(?: .*)?$/s, "");
}
