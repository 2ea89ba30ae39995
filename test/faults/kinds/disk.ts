/** Faults of the disk, and of who works there beside keyturn. */
import { chmod, readlink, rm, symlink, truncate, unlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { systemCodeOf } from "../../../src/core/errors.ts";
import type { Draw, Fault } from "../bench/fault.ts";
import type { Stand } from "../bench/stand.ts";

const ANYWHERE = () => true;

export const DISK_FAULTS: readonly Fault[] = [
  {
    name: "the disk is full, or its inodes are used up",
    group: "disk",
    weight: 6,
    fits: ({ smallDisk }) => smallDisk !== null,
    inject: async ({ smallDisk }, { dice, linger }) => {
      smallDisk?.leave(dice.pick([{ blocks: dice.below(8) }, { inodes: dice.below(8) }]));
      await linger(1_500, 10_000);
      smallDisk?.freeUp();
    },
  },
  damage("a key is cut short", (folder) => truncate(join(folder, "current", "tls.key"), 20)),
  damage("a certificate is overwritten", (folder) => writeFile(join(folder, "current", "tls.crt"), "x")),
  damage("a key is made readable by all", (folder) => chmod(join(folder, "current", "tls.key"), 0o644)),
  damage("a link is taken away", (folder) => unlink(join(folder, "tls.pem"))),
  damage("`current` leads nowhere", async (folder) => {
    await unlink(join(folder, "current"));
    await symlink(".generations/none", join(folder, "current"));
  }),
  damage("the current generation is removed", async (folder) => {
    await rm(join(folder, await readlink(join(folder, "current"))), { recursive: true, force: true });
  }),
  damage("the folder of a bundle is removed", (folder) => rm(folder, { recursive: true, force: true })),
];

/** Done to a bundle that no reader reads. What keyturn itself has just replaced cannot be damaged any more. */
function damage(name: string, act: (folder: string) => Promise<void>): Fault {
  return {
    name,
    group: "disk",
    weight: 1,
    fits: ANYWHERE,
    inject: async (stand, draw) => {
      try {
        await act(drawSpare(stand, draw));
      } catch (thrown) {
        if (!["ENOENT", "EEXIST", "ENOTEMPTY"].includes(systemCodeOf(thrown) ?? "")) throw thrown;
      }
    },
  };
}

function drawSpare({ node, spare }: Stand, { dice }: Draw): string {
  const [first = "", ...others] = spare;
  return join(node.outputDir, dice.pick([first, ...others]));
}
