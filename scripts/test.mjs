/**
 * Runs tests: all of `npm test`, or the files and folders that are named; with `--part`, of these every N-th, from the
 * I-th on. `node scripts/test.mjs [--part=I/N] [PATH…]`.
 */
import { spawn } from "node:child_process";
import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";

/** Folders of test/ with programs of their own, or with tests that take minutes: not part of `npm test`. */
const APART = ["bench", "conformance", "faults", "operate", "support"];

function testsIn(path) {
  if (!statSync(path).isDirectory()) return [path];
  return readdirSync(path)
    .filter((name) => !APART.includes(name))
    .flatMap((name) => testsIn(join(path, name)))
    .filter((file) => file.endsWith(".test.ts"));
}

const named = process.argv.slice(2);
const [, part = 1, parts = 1] = /^--part=(\d+)\/(\d+)$/.exec(named[0] ?? "") ?? [];
if (named[0]?.startsWith("--part=")) named.shift();
const files = (named.length > 0 ? named : ["test"])
  .flatMap(testsIn)
  .filter((_, at) => at % Number(parts) === Number(part) - 1);
// They wait more than they work. Of those that are named, some load the machine by themselves.
const atOnce = named.length > 0 ? 4 : 6;
const options = ["--import", "tsx", "--test", "--test-reporter=spec", `--test-concurrency=${atOnce}`];
const child = spawn(process.execPath, [...options, ...files], { stdio: "inherit" });
child.on("exit", (code) => process.exit(code ?? 1));
