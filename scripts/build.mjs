/** Compiles src/ to dist/, from nothing, with declarations. */
import { execFileSync } from "node:child_process";
import { chmodSync, rmSync } from "node:fs";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
rmSync(`${root}/dist`, { recursive: true, force: true });
execFileSync("npx", ["tsc", "--project", "tsconfig.build.json"], { cwd: root, stdio: "inherit" });
chmodSync(`${root}/dist/cli.js`, 0o755);
