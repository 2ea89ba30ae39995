/** Bundles unlocked, from what etcd would hold of them. */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { inspect } from "node:util";
import { type Unlocked, type UnlockOptions, unlock } from "../../src/preflight/unlock.ts";
import { useFolder } from "./folder.ts";
import { contentsOf } from "./material.ts";

/** Unlocks values as `materialOf` takes them. */
export function unlockValues(
  values: Readonly<Record<string, string | Uint8Array>>,
  options: Partial<UnlockOptions> = {},
): Promise<Unlocked> {
  const settings = { passphraseFile: null, profile: "default", ...options } as const;
  return unlock(contentsOf(values), settings, new AbortController().signal);
}

/** A passphrase in a file of its own. */
export async function usePassphrase(t: TestContext, text: string | Uint8Array): Promise<string> {
  const file = join(await useFolder(t), "passphrase");
  await writeFile(file, text, { mode: 0o600 });
  return file;
}

/** PKCS#8 PEM of the only key; the test fails where there is another number of them, or a problem. */
export function onlyKeyOf({ keys, problems }: Unlocked): string {
  if (problems.length > 0) throw new Error(problems.map(({ message }) => message).join("; "));
  const [key, ...others] = keys;
  if (key === undefined || others.length > 0) throw new Error(`there are ${keys.length} keys`);
  return key.pem.reveal();
}

/**
 * Runs of twelve characters of the key's base64 that stand in the object when it is shown; the frame that all keys share
 * does not count.
 */
export function leaksIn(shown: object, keyPem: string): string[] {
  const text = inspect(shown, { depth: 10 }) + JSON.stringify(shown);
  const base64 = keyPem.replace(/-----[^-]+-----|^[A-Za-z-]+: .*$|\s/gm, "");
  const runs = [...base64.slice(40, -12)].map((_, at) => base64.slice(40 + at, 52 + at));
  return runs.filter((run) => text.includes(run));
}
