/** Runs tests: all of `npm test`, or the files and folders that are named. `node scripts/test.mjs [PATH…]`. */
import { spawn } from "node:child_process";
import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";

/** Folders of test/ with programs of their own, which are not part of `npm test`. */
const APART = ["bench", "conformance", "support"];

function testsIn(path) {
  if (!statSync(path).isDirectory()) return [path];
  return readdirSync(path)
    .filter((name) => !APART.includes(name))
    .flatMap((name) => testsIn(join(path, name)))
    .filter((file) => file.endsWith(".test.ts"));
}

const named = process.argv.slice(2);
const files = (named.length > 0 ? named : ["test"]).flatMap(testsIn);
const options = ["--import", "tsx", "--test", "--test-reporter=spec", "--test-concurrency=4"];
const child = spawn(process.execPath, [...options, ...files], { stdio: "inherit" });
child.on("exit", (code) => process.exit(code ?? 1));
