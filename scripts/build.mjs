/**
 * Compiles src/ to dist/, from nothing, with declarations; what runs in the status page goes there as it is, and the man
 * page is made from the program that comes of it.
 */
import { execFileSync } from "node:child_process";
import { chmodSync, cpSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
rmSync(`${root}/dist`, { recursive: true, force: true });
execFileSync("npx", ["tsc", "--project", "tsconfig.build.json"], { cwd: root, stdio: "inherit" });
cpSync(`${root}/src/page/browser`, `${root}/dist/page/browser`, {
  recursive: true,
  filter: (path) => !path.endsWith("tsconfig.json"),
});
chmodSync(`${root}/dist/cli.js`, 0o755);

const { createProgram } = await import(`${root}/dist/cli/commands.js`);
const { manPage } = await import(`${root}/dist/cli/man-page.js`);
const { version } = JSON.parse(readFileSync(`${root}/package.json`, "utf8"));
writeFileSync(
  `${root}/dist/keyturn.1`,
  manPage(
    createProgram(() => undefined),
    version,
  ),
);
