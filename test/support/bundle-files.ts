/** Bundles as files in a folder, as a person has them who inspects or puts them. */
import { chmod, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { useFolder } from "./folder.ts";
import type { BundlePems } from "./pki.ts";

/** Writes files into a new folder; gives the path of each. Those that may be read by everybody are named. */
export async function writeBundleFiles<Name extends string>(
  t: TestContext,
  contents: Readonly<Record<Name, string | Uint8Array>>,
  openToAll: readonly string[] = [],
): Promise<Record<Name, string>> {
  const folder = await useFolder(t);
  const written = Object.entries<string | Uint8Array>(contents).map(async ([name, content]) => {
    const path = join(folder, name);
    await writeFile(path, content);
    await chmod(path, openToAll.includes(name) ? 0o644 : 0o600);
    return [name, path];
  });
  return Object.fromEntries(await Promise.all(written));
}

/** A bundle in the parts of a Kubernetes TLS secret. */
export function partsOf({ chain, key, ca }: BundlePems) {
  return { "tls.crt": chain, "tls.key": key, "ca.crt": ca };
}

/** Lines of a key's base64, to look for where they must not be. */
export function linesOfKey(pem: string): string[] {
  return pem.split("\n").filter((line) => line.length > 20 && !line.startsWith("-----"));
}
