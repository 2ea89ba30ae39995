/** The files that are made from the sources, by their path from the root. */
import { jsonSchemaOfConfig } from "../../src/config/json-schema.ts";
import { configurationPage } from "./configuration.ts";

export const MADE: Readonly<Record<string, () => string>> = {
  "docs/configuration.md": configurationPage,
  "keyturn.schema.json": () => `${JSON.stringify(jsonSchemaOfConfig(), null, 2)}\n`,
};
