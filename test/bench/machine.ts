/** Which machine and which versions the numbers are of. */
import { execFileSync } from "node:child_process";
import { accessSync, constants } from "node:fs";
import { arch, cpus, loadavg, release, tmpdir, totalmem, type } from "node:os";
import { delimiter, join } from "node:path";

/** The path of a program, or undefined where it is not installed. */
export function findProgram(name: string): string | undefined {
  const paths = (process.env.PATH ?? "").split(delimiter).map((folder) => join(folder, name));
  return paths.find((path) => {
    try {
      accessSync(path, constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

/** The machine in a few lines of Markdown. @param load From before the measuring. @param etcd The etcd program, if any. */
export function describeMachine(load: string, etcd?: string): string {
  const processors = cpus();
  const memory = (totalmem() / 2 ** 30).toFixed(1);
  const fileSystem = firstLine("stat", "--file-system", "--format=%T", tmpdir());
  const programs = [`Node ${process.version}`, ...(etcd === undefined ? [] : [versionOf(etcd)])];
  const commit = firstLine("git", "describe", "--always", "--dirty");
  return [
    `- ${processors[0]?.model.trim()}, ${processors.length} cores, ${memory} GiB, load ${load} before it began`,
    `- ${type()} ${release()} ${arch()}, files on ${fileSystem} (${tmpdir()})`,
    `- ${programs.join(", ")}`,
    `- keyturn at ${commit}`,
  ].join("\n");
}

/** The load of the last minute. */
export function loadNow(): string {
  return loadavg()[0]?.toFixed(2) ?? "unknown";
}

/** YYYY-MM-DD. */
export function today(): string {
  return new Date().toISOString().slice(0, 10);
}

function versionOf(etcd: string): string {
  return firstLine(etcd, "--version").replace(" Version:", "");
}

function firstLine(program: string, ...words: string[]): string {
  try {
    const text = execFileSync(program, words, { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] });
    return text.trim().split("\n")[0] ?? "";
  } catch {
    return `unknown (no ${program})`;
  }
}
