/** Names of users and groups to numbers, through the machine's own name service. */
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { KeyturnError } from "../core/errors.ts";
import type { Owner } from "./durable.ts";

const run = promisify(execFile);

/**
 * Looks up an owner and a group, each a name or a number.
 *
 * @param where The setting that holds both, for messages.
 * @throws KeyturnError CONFIG_INVALID where the machine knows no such name.
 */
export async function lookUpOwner(
  owner: string | undefined,
  group: string | undefined,
  where = "output",
): Promise<Owner> {
  const [uid, gid] = await Promise.all([
    lookUp("passwd", owner, `${where}.owner`),
    lookUp("group", group, `${where}.group`),
  ]);
  return { uid, gid };
}

async function lookUp(
  database: "passwd" | "group",
  name: string | undefined,
  setting: string,
): Promise<number | undefined> {
  if (name === undefined) return undefined;
  if (/^\d+$/.test(name)) return Number(name);
  try {
    const { stdout } = await run("getent", [database, name]);
    return Number(stdout.split(":")[2]);
  } catch (cause) {
    throw new KeyturnError(
      "CONFIG_INVALID",
      `${setting}: this machine knows no ${name} (getent ${database})`,
      {
        cause,
      },
    );
  }
}
