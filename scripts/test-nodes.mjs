/**
 * Runs `npm test`'s tests on the newer Node versions that are supported: `node scripts/test-nodes.mjs [--split] [VERSION…]`.
 * With `--split` each test runs on one of them, for where there is no time for all on each.
 */
import { execFileSync, spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const words = process.argv.slice(2);
const isSplit = words[0] === "--split";
if (isSplit) words.shift();
const versions = words.length > 0 ? words : ["24", "26"];

/** The binary of a Node version, from the package `node`, in .cache. */
function provideNode(version) {
  const folder = join(root, ".cache", `node-${version}`);
  const binary = join(folder, "node_modules", "node", "bin", "node");
  if (!existsSync(binary)) {
    // A lock file of its own does not belong to the project; the install script links the binary into its place.
    const install = [
      "install",
      "--prefix",
      folder,
      "--no-save",
      "--no-package-lock",
      "--no-audit",
      "--no-fund",
    ];
    execFileSync("npm", [...install, "--loglevel=error", `node@${version}`], { stdio: ["ignore", 2, 2] });
  }
  return binary;
}

for (const [at, version] of versions.entries()) {
  const node = provideNode(version);
  const exact = execFileSync(node, ["--version"], { encoding: "utf8" }).trim();
  console.log(`\nTests on Node ${exact}`);
  // Hundreds of processes are started, and each would compile the same code again.
  const env = { ...process.env, NODE_COMPILE_CACHE: join(root, ".cache", `compiled-${version}`) };
  const part = isSplit ? [`--part=${at + 1}/${versions.length}`] : [];
  const { status } = spawnSync(node, ["scripts/test.mjs", ...part], { cwd: root, env, stdio: "inherit" });
  if (status !== 0) process.exit(status ?? 1);
}
