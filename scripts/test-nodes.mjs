/** Runs `npm test`'s tests on the newer Node versions that are supported: `node scripts/test-nodes.mjs [VERSION…]`. */
import { execFileSync, spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const versions = process.argv.length > 2 ? process.argv.slice(2) : ["24", "26"];

/** The binary of a Node version, from the package `node`, in .cache. */
function provideNode(version) {
  const folder = join(root, ".cache", `node-${version}`);
  const binary = join(folder, "node_modules", "node", "bin", "node");
  if (!existsSync(binary)) {
    // A lock file of its own does not belong to the project; the install script links the binary into its place.
    const words = [
      "install",
      "--prefix",
      folder,
      "--no-save",
      "--no-package-lock",
      "--no-audit",
      "--no-fund",
    ];
    execFileSync("npm", [...words, "--loglevel=error", `node@${version}`], { stdio: ["ignore", 2, 2] });
  }
  return binary;
}

for (const version of versions) {
  const node = provideNode(version);
  const exact = execFileSync(node, ["--version"], { encoding: "utf8" }).trim();
  console.log(`\nTests on Node ${exact}`);
  const { status } = spawnSync(node, ["scripts/test.mjs"], { cwd: root, stdio: "inherit" });
  if (status !== 0) process.exit(status ?? 1);
}
