/** The systemd unit of deploy/, and systemd's own programs to look at it; no systemd has to run. */
import { execFile } from "node:child_process";
import { chmod, copyFile, mkdir, readFile, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { useFolder } from "./folder.ts";
import type { Scope } from "./scope.ts";
import { needTool } from "./tools.ts";

const DEPLOY = fileURLToPath(new URL("../../deploy/systemd", import.meta.url));
const UNIT = "keyturn.service";
/** Units of systemd that ours refers to; they are there on every machine that runs systemd. */
const OTHERS = ["basic.target", "network-online.target", "shutdown.target", "sysinit.target", "system.slice"];

/** What a program said. */
interface Answer {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** A machine of its own with the unit in it, as files. */
export interface UnitRoot {
  readonly unit: string;
  /** What systemd has to say against it: nothing, where it is right. */
  verify(): Promise<Answer>;
  /** How far it may be from 0, no exposure at all, to 10. */
  security(): Promise<{ readonly score: string; readonly version: string }>;
}

/**
 * Makes the folder of a machine on which the unit is installed with these drop-ins.
 *
 * @param own The text of another drop-in.
 */
export async function useUnitRoot(t: Scope, dropIns: readonly string[], own = ""): Promise<UnitRoot> {
  const root = await useFolder(t);
  const units = join(root, "etc/systemd/system");
  const unit = join(units, UNIT);
  await mkdir(join(units, `${UNIT}.d`), { recursive: true });
  await copyFile(join(DEPLOY, UNIT), unit);
  for (const name of dropIns) await copyFile(join(DEPLOY, name), join(units, `${UNIT}.d`, name));
  await writeFile(join(units, `${UNIT}.d`, "own.conf"), own);
  for (const name of OTHERS) await writeFile(join(units, name), "[Unit]\nDefaultDependencies=no\n");
  await mkdir(join(root, "usr/bin"), { recursive: true });
  await symlink("usr/bin", join(root, "bin"));
  for (const name of ["keyturn", "kill"]) {
    await writeFile(join(root, "usr/bin", name), "#!/bin/sh\n");
    await chmod(join(root, "usr/bin", name), 0o755);
  }
  return {
    unit,
    verify: () => analyze("verify", `--root=${root}`, "--man=no", UNIT),
    security: async () => {
      const { stdout } = await analyze("security", "--offline=true", "--no-pager", unit);
      const score = /exposure level for .*: (\d+\.\d+)/.exec(stdout)?.[1] ?? "none";
      return { score, version: /^systemd (\d+)/.exec((await analyze("--version")).stdout)?.[1] ?? "" };
    },
  };
}

/** The drop-ins of deploy/, by name. */
export const DROP_INS = ["as-root.conf", "credentials.conf"];

/** The text of the unit. */
export function readUnit(): Promise<string> {
  return readFile(join(DEPLOY, UNIT), "utf8");
}

function analyze(...words: readonly string[]): Promise<Answer> {
  return new Promise((resolve) => {
    execFile(needTool("systemd-analyze"), words, (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr });
    });
  });
}
