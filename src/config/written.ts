/** A configuration in the way it is written: durations as `10s`, modes as `"0640"`, addresses as `host:port`. Pure. */
import { describeSettings, type SettingSchema } from "./json-schema.ts";
import type { Config } from "./schema.ts";
import { writeAddress, writeDuration, writeMode } from "./values.ts";

/** By what the reference calls the type. */
const WRITERS: Readonly<Record<string, (value: never) => string>> = {
  duration: writeDuration,
  mode: writeMode,
  "host:port": writeAddress,
};

/** Read as a `keyturn.yaml`, it gives the same configuration. */
export function asWritten(config: Config): unknown {
  return written(config, describeSettings());
}

function written(value: unknown, { title, items, properties }: SettingSchema): unknown {
  const write = WRITERS[title ?? ""];
  if (value === undefined) return value;
  if (write !== undefined) return write(value as never);
  if (Array.isArray(value)) return value.map((item) => written(item, items ?? {}));
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value);
  return Object.fromEntries(entries.map(([key, inner]) => [key, written(inner, properties?.[key] ?? {})]));
}
