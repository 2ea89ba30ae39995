/** Imports run downward only: DESIGN's table of rooms, read from the sources. */
import assert from "node:assert/strict";
import { readdir, readFile } from "node:fs/promises";
import { join, posix } from "node:path";
import { describe, it } from "node:test";
import { fileURLToPath } from "node:url";

const SRC = fileURLToPath(new URL("../src", import.meta.url));

const BASE = ["core", "runtime"];
/** What each room may import besides itself. A new room is declared here. */
const ROOMS: ReadonlyMap<string, readonly string[] | "everything"> = new Map<
  string,
  readonly string[] | "everything"
>([
  ["core", []],
  ["runtime", []],
  ["config", BASE],
  ["source", BASE],
  ["preflight", BASE],
  ["store", BASE],
  ["notify", BASE],
  ["verify", BASE],
  ["expiry", BASE],
  ["handshake", BASE],
  ["hot-swap", BASE],
  ["proxy", [...BASE, "hot-swap"]],
  ["service-manager", BASE],
  ["reload", BASE],
  ["alerts", ["core"]],
  ["observe", ["core"]],
  ["page", ["core", "observe"]],
  ["admin", [...BASE, "observe", "page"]],
  ["dev", BASE],
  ["demo", "everything"],
  ["cli", "everything"],
  ["", "everything"],
]);
/** What core may use from outside: none of it reads, writes or waits. */
const PURE_MODULES = ["node:crypto", "node:util", "zod"];

interface SourceFile {
  /** Below src, such as `core/pem.ts`. */
  readonly path: string;
  readonly text: string;
}

describe("the rooms of src", () => {
  it("import only what they may", async () => {
    assert.deepEqual((await readSources()).flatMap(breachesOf), []);
  });

  it("are all there: the test reads the files it thinks it reads", async () => {
    const rooms = new Set((await readSources()).map(({ path }) => roomOf(path)));
    for (const room of ["", "core", "runtime", "config", "source", "store", "reload", "cli"]) {
      assert.ok(rooms.has(room), `no file of ${room || "src itself"} was read`);
    }
  });
});

describe("the look at imports", () => {
  for (const [path, text] of [
    ["core/a.ts", 'import { b } from "../runtime/b.ts";'],
    ["core/a.ts", 'import type { B } from "../store/b.ts";'],
    ["core/a.ts", 'import {\n  b,\n  c,\n} from "../reload/b.ts";'],
    ["core/a.ts", "import '../reload/b.ts';"],
    ["core/a.ts", 'export { b } from "../config/b.ts";'],
    ["core/a.ts", 'export * from "../config/b.ts";'],
    ["core/a.ts", 'const b = await import("../observe/b.ts");'],
    ["core/a.ts", 'type B = import("../observe/b.ts").B;'],
    ["core/a.ts", 'import { readFile } from "node:fs/promises";'],
    ["core/a.ts", 'import { b } from "../version.ts";'],
    ["core/deep/a.ts", 'import { b } from "../../runtime/b.ts";'],
    ["observe/a.ts", 'import { b } from "../runtime/b.ts";'],
    ["admin/a.ts", 'import { b } from "../store/b.ts";'],
    ["store/a.ts", 'import { b } from "../source/b.ts";'],
    ["store/a.ts", 'import { b } from "../engine.ts";'],
    ["demo/a.ts", 'import { b } from "../cli/b.ts";'],
    ["daemon.ts", 'import { b } from "./cli/b.ts";'],
    ["attic/a.ts", "export const a = 1;"],
    ["core/a.ts", 'import { b } from "../attic/b.ts";'],
    ["core/a.ts", 'import { b } from "../../test/support/wait.ts";'],
  ] as const) {
    it(`sees a breach in ${path}: ${JSON.stringify(text)}`, () => {
      assert.equal(breachesOf({ path, text }).length, 1);
    });
  }

  for (const [path, text] of [
    ["core/a.ts", 'import { b } from "./b.ts";\nimport { createHash } from "node:crypto";'],
    ["core/deep/a.ts", 'import { b } from "../b.ts";'],
    ["store/a.ts", 'import type { B } from "../core/b.ts";\nimport { c } from "../runtime/c.ts";'],
    ["admin/a.ts", 'import type { Status } from "../observe/board.ts";'],
    ["demo/a.ts", 'import { b } from "../daemon.ts";'],
    ["cli.ts", 'import { main } from "./cli/program.ts";'],
    ["cli/a.ts", 'import { b } from "./b.ts";\nimport { c } from "../demo/c.ts";'],
    ["core/a.ts", 'const text = "the list it came from";'],
    ["core/a.ts", 'export type From = "reload";\nexport type To = "../reload/b.ts";'],
  ] as const) {
    it(`sees no breach in ${path}: ${JSON.stringify(text)}`, () => {
      assert.deepEqual(breachesOf({ path, text }), []);
    });
  }
});

async function readSources(): Promise<SourceFile[]> {
  const paths = await readdir(SRC, { recursive: true });
  const sources = paths.map((path) => path.replaceAll("\\", "/")).filter((path) => path.endsWith(".ts"));
  return Promise.all(sources.map(async (path) => ({ path, text: await readFile(join(SRC, path), "utf8") })));
}

function breachesOf({ path, text }: SourceFile): string[] {
  const room = roomOf(path);
  const may = ROOMS.get(room);
  if (may === undefined) return [`${path}: the room ${room} is not declared`];
  return importsOf(text).flatMap((specifier) => {
    const why = whyNot(room, path, may, specifier);
    return why === undefined ? [] : [`${path} imports ${specifier}: ${why}`];
  });
}

function whyNot(
  room: string,
  path: string,
  may: readonly string[] | "everything",
  specifier: string,
): string | undefined {
  if (!specifier.startsWith(".")) {
    return room === "core" && !PURE_MODULES.includes(specifier) ? "core does no I/O" : undefined;
  }
  const target = posix.join(posix.dirname(path), specifier);
  if (target.startsWith("..")) return "it is outside src";
  const targetRoom = roomOf(target);
  if (targetRoom === room) return undefined;
  if (!ROOMS.has(targetRoom)) return `the room ${targetRoom} is not declared`;
  if (targetRoom === "cli") return path === "cli.ts" ? undefined : "nobody but cli.ts imports cli";
  return may === "everything" || may.includes(targetRoom) ? undefined : `${room} may not`;
}

/** The folder directly below src; empty for the files of src itself. */
function roomOf(path: string): string {
  return path.includes("/") ? path.slice(0, path.indexOf("/")) : "";
}

/** Every module a text names: static and dynamic imports, imports of types, and exports from elsewhere. */
function importsOf(text: string): string[] {
  const statement = /^\s*(?:import|export)\s(?:[^"';=]*?\bfrom\s*)?["']([^"']+)["']/gm;
  const call = /\bimport\(\s*["']([^"']+)["']\s*\)/g;
  const found = [statement, call].flatMap((form) =>
    [...text.matchAll(form)].map(([, specifier = ""]) => specifier),
  );
  return [...new Set(found)];
}
