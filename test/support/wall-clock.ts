/** A daemon whose wall clock a test sets while it runs; timers stay on the monotonic clock, as on a real machine. */
import { access, constants, readdir, rename, writeFile } from "node:fs/promises";
import { delimiter, dirname, join } from "node:path";
import type { TestContext } from "node:test";
import { type TestDaemon, useDaemon } from "./daemon.ts";

const DAY_MS = 86_400_000;
const LIBRARY = "faketime/libfaketimeMT.so.1";

/** The clock of one daemon. */
export interface WallClock {
  /** What the daemon is started with, so that it and its children go by this clock. */
  readonly env: NodeJS.ProcessEnv;
  /** Sets it to so many days after what it really is. */
  set(days: number): Promise<void>;
  /** What it shows now. */
  now(): Date;
}

/** A clock in a file of the folder, `days` off from the start. */
export async function createWallClock(folder: string, days = 0): Promise<WallClock> {
  const file = join(folder, "clock");
  let offsetSeconds = 0;
  const set = async (wanted: number) => {
    offsetSeconds = Math.round((wanted * DAY_MS) / 1_000);
    // Renamed: the daemon reads it at every look at the clock.
    await writeFile(`${file}.new`, `${offsetSeconds < 0 ? "" : "+"}${offsetSeconds}\n`);
    await rename(`${file}.new`, file);
  };
  await set(days);
  const env = {
    LD_PRELOAD: await findLibrary(),
    FAKETIME_TIMESTAMP_FILE: file,
    FAKETIME_NO_CACHE: "1",
    FAKETIME_DONT_FAKE_MONOTONIC: "1",
    NO_FAKE_STAT: "1",
  };
  return { env, set, now: () => new Date(Date.now() + offsetSeconds * 1_000) };
}

/** Starts a daemon that goes by the clock, and ends it in order when the test is over. */
export async function useDaemonAt(
  t: TestContext,
  clock: WallClock,
  folder: string,
  settings: Parameters<typeof useDaemon>[2],
): Promise<TestDaemon> {
  let daemon: TestDaemon | undefined;
  // Before it is killed: the library leaves shared memory behind where a process ends without being asked.
  t.after(() => daemon?.stop());
  daemon = await useDaemon(t, folder, settings, clock.env);
  return daemon;
}

/** Beside `faketime` of the package: in KEYTURN_TOOLS_BIN, which scripts/ready.mjs sets, or on the PATH. */
async function findLibrary(): Promise<string> {
  const { KEYTURN_TOOLS_BIN: named, PATH = "" } = process.env;
  const homes = (named ? [named] : PATH.split(delimiter)).map((folder) => dirname(folder));
  for (const root of homes.flatMap((home) => [join(home, "lib"), join(home, "usr", "lib")])) {
    const names = await readdir(root).catch(() => []);
    for (const name of ["", ...names]) {
      const path = join(root, name, LIBRARY);
      const isThere = await access(path, constants.R_OK).then(
        () => true,
        () => false,
      );
      if (isThere) return path;
    }
  }
  throw new Error("there is no libfaketime: run the tests by npm, which fetches it, or install faketime");
}
