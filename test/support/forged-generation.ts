/** Generations that keyturn would never write: files of any content under a manifest that fits them, and made current. */
import { createHash } from "node:crypto";
import { mkdir, readFile, rename, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";

/** Files by name; a manifest that is given is written as it is. */
export type ForgedFiles = Readonly<Record<string, string>>;

/** The text of a file of what is current. */
export function readCurrent(dir: string, name: string): Promise<string> {
  return readFile(join(dir, "current", name), "utf8");
}

/** Makes them current, as the daemon does it: a folder that is whole, and one rename. */
export async function forgeGeneration(dir: string, id: string, files: ForgedFiles): Promise<void> {
  const folder = join(dir, ".generations", id);
  await mkdir(folder);
  const manifest = files["manifest.json"] ?? (await manifestOf(dir, id, files));
  for (const [name, content] of Object.entries({ ...files, "manifest.json": manifest }))
    await writeFile(join(folder, name), content);
  await flipTo(dir, id);
}

/** Makes an earlier generation current again. */
export async function flipTo(dir: string, id: string): Promise<void> {
  await symlink(join(".generations", id), join(dir, "forged"));
  await rename(join(dir, "forged"), join(dir, "current"));
}

async function manifestOf(dir: string, id: string, files: ForgedFiles): Promise<string> {
  const before = JSON.parse(await readCurrent(dir, "manifest.json"));
  const described = Object.entries(files).map(([name, content]) => [
    name,
    { bytes: Buffer.byteLength(content), sha256: createHash("sha256").update(content).digest("hex") },
  ]);
  return JSON.stringify({ ...before, id, files: Object.fromEntries(described) });
}
