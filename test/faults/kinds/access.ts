/** Faults of who may read what. */
import { readFile, writeFile } from "node:fs/promises";
import { type GuardedEtcd, PASSWORD } from "../../support/guarded-etcd.ts";
import { until } from "../../support/wait.ts";
import type { Fault } from "../bench/fault.ts";
import type { Stand } from "../bench/stand.ts";

/** A little longer than a token lives. */
const TOKEN_DIES_MS = 6_000;
const OTHER_PASSWORD = "another-password";

const GUARDED = ({ guarded }: Stand) => guarded !== null;

export const ACCESS_FAULTS: readonly Fault[] = [
  {
    name: "the right to read is revoked, and given back",
    group: "access",
    weight: 3,
    fits: GUARDED,
    inject: async (stand, { linger }) => {
      const guarded = guardedOf(stand);
      await guarded.revoke();
      await linger(1_500, 8_000);
      await guarded.grant();
    },
  },
  {
    name: "the password is changed in etcd, and later in the file",
    group: "access",
    weight: 2,
    fits: GUARDED,
    inject: async (stand, { linger }) => {
      const { access, changePassword } = guardedOf(stand);
      const before = (await readFile(access.passwordFile, "utf8")).trim();
      const after = before === PASSWORD ? OTHER_PASSWORD : PASSWORD;
      await changePassword(after);
      stand.links[0].cut();
      await linger(1_500, 8_000);
      await writeFile(access.passwordFile, `${after}\n`);
    },
  },
  {
    name: "the daemon starts with a wrong password, which is then corrected",
    group: "access",
    weight: 2,
    fits: GUARDED,
    inject: async (stand, { linger }) => {
      const { passwordFile } = guardedOf(stand).access;
      const right = await readFile(passwordFile);
      await stand.node.stop();
      await writeFile(passwordFile, "wrong\n");
      await stand.node.start();
      await until(
        "it is refused",
        async () => (await stand.node.status())?.etcd.problem?.code === "ETCD_DENIED",
      );
      await linger(500);
      await writeFile(passwordFile, right);
    },
  },
  {
    name: "the token expires, and the link is cut",
    group: "access",
    weight: 2,
    fits: GUARDED,
    inject: async (stand, { linger }) => {
      await linger(100, TOKEN_DIES_MS);
      stand.links[0].cut();
    },
  },
  {
    name: "etcd with users is killed and forgets every token",
    group: "access",
    weight: 3,
    fits: GUARDED,
    inject: async (stand, { linger }) => {
      const { etcd } = guardedOf(stand);
      await etcd.kill();
      await linger(800);
      await etcd.restart();
    },
  },
];

function guardedOf({ guarded }: Stand): GuardedEtcd {
  if (guarded === null) throw new Error("there is no etcd with users on this stand");
  return guarded;
}
