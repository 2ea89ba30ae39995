/** Names of users and groups to numbers, through the machine's own name service. */
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { KeyturnError } from "../core/errors.ts";
import type { Owner } from "./durable.ts";

const run = promisify(execFile);

/**
 * Looks up `output.owner` and `output.group`: a name or a number.
 *
 * @throws KeyturnError CONFIG_INVALID where the machine knows no such name.
 */
export async function lookUpOwner(owner: string | undefined, group: string | undefined): Promise<Owner> {
  const [uid, gid] = await Promise.all([lookUp("passwd", owner), lookUp("group", group)]);
  return { uid, gid };
}

async function lookUp(database: "passwd" | "group", name: string | undefined): Promise<number | undefined> {
  if (name === undefined) return undefined;
  if (/^\d+$/.test(name)) return Number(name);
  try {
    const { stdout } = await run("getent", [database, name]);
    return Number(stdout.split(":")[2]);
  } catch (cause) {
    const setting = database === "passwd" ? "output.owner" : "output.group";
    throw new KeyturnError(
      "CONFIG_INVALID",
      `${setting}: this machine knows no ${name} (getent ${database})`,
      {
        cause,
      },
    );
  }
}
