/** Writes what is made from the sources and kept in the repository: `npm run docs`. Tests fail where it is stale. */
import { writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { MADE } from "./made.ts";

for (const [path, make] of Object.entries(MADE)) {
  writeFileSync(fileURLToPath(new URL(`../../${path}`, import.meta.url)), make());
}
