/** Real processes to be signalled and counted. */
import { type ChildProcess, type SpawnOptions, spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync, readFileSync } from "node:fs";
import type { TestContext } from "node:test";

/** Starts a program that is ended when the test is over; its standard output is piped. */
export async function useProcess(
  t: TestContext,
  argv: readonly [string, ...string[]],
  options: SpawnOptions = {},
): Promise<ChildProcess & { readonly pid: number }> {
  const [program, ...words] = argv;
  const child = spawn(program, words, { stdio: ["ignore", "pipe", "inherit"], ...options });
  t.after(() => child.kill("SIGKILL"));
  await once(child, "spawn");
  return child as ChildProcess & { readonly pid: number };
}

/** Starts a process that tells the signals it gets by their names, and goes on. */
export async function useSignalled(t: TestContext, names: readonly NodeJS.Signals[], options?: SpawnOptions) {
  const traps = names.map((name) => `process.on("${name}", () => console.log("${name}"))`);
  const script = `${traps.join(";")}; console.log("ready"); setInterval(() => {}, 1000)`;
  const child = await useProcess(t, [process.execPath, "-e", script], options);
  let output = "";
  child.stdout?.on("data", (chunk) => {
    output += chunk;
  });
  const got = () => output.split("\n").filter((line) => line !== "" && line !== "ready");
  while (!output.includes("ready")) await once(child.stdout as NodeJS.ReadableStream, "data");
  return { pid: child.pid, got, child };
}

/** Processes that a process has started. */
export function childrenOf(pid: number): number[] {
  // Of every thread: a child belongs to the one that started it.
  return readdirSync(`/proc/${pid}/task`).flatMap((thread) =>
    readFileSync(`/proc/${pid}/task/${thread}/children`, "utf8").split(" ").filter(Boolean).map(Number),
  );
}
