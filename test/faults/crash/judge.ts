/** Says what is wrong with an output folder, from the outside: by its links and files, and nothing of keyturn's own. */
import { createHash, createPrivateKey, X509Certificate } from "node:crypto";
import { lstatSync, readdirSync, readFileSync, readlinkSync, statSync } from "node:fs";
import { basename, join } from "node:path";

/** What a reader finds. */
export interface Found {
  /** SHA-256 of the leaf that is current; undefined where nothing is. */
  readonly leaf: string | undefined;
  /** Everything that is not as it has to be for a reader. */
  readonly faults: readonly string[];
}

interface ManifestFile {
  readonly id: string;
  readonly state: string;
  readonly files: Readonly<Record<string, { readonly bytes: number; readonly sha256: string }>>;
}

/** A bundle's folder as a service reads it, at any moment: what is current is whole, or nothing is. */
export function findCurrent(folder: string): Found {
  const link = join(folder, "current");
  if (!isThere(link)) return { leaf: undefined, faults: [] };
  const generation = join(folder, readlinkSync(link));
  if (!isThere(generation)) return { leaf: undefined, faults: [`${link} leads nowhere`] };
  const faults = faultsOfGeneration(generation);
  for (const name of readdirSync(folder).filter((name) => name.startsWith("tls."))) {
    const target = readlinkSync(join(folder, name));
    if (target !== `current/${name}`) faults.push(`${name} leads to ${target}`);
  }
  return { leaf: faults.length > 0 ? undefined : leafOf(join(generation, "tls.crt")), faults };
}

/**
 * The same once keyturn has settled: nothing is left over, every generation is whole, every link leads somewhere. Where
 * something went away in the middle of the look, it has not settled.
 */
export function findSettled(folder: string): Found {
  try {
    return lookAround(folder);
  } catch (thrown) {
    const { code, path } = thrown as NodeJS.ErrnoException;
    if (code !== "ENOENT") throw thrown;
    return { leaf: undefined, faults: [`${path} went away`] };
  }
}

function lookAround(folder: string): Found {
  if (!isThere(folder)) return { leaf: undefined, faults: [] };
  const { leaf, faults } = findCurrent(folder);
  const all = [...faults];
  for (const path of readdirSync(folder, { recursive: true }) as string[]) {
    if (/^\.(new|old)-/.test(basename(path))) all.push(`${path} is left over`);
  }
  const generations = join(folder, ".generations");
  for (const id of isThere(generations) ? readdirSync(generations) : [])
    all.push(...faultsOfGeneration(join(generations, id)));
  const current = leaf === undefined ? undefined : readManifest(join(folder, "current"));
  const links = readdirSync(folder).filter((name) => !["current", ".generations"].includes(name));
  const wanted = Object.keys(current?.files ?? {});
  if (links.sort().join() !== wanted.sort().join()) all.push(`there are links ${links}, and files ${wanted}`);
  if (current !== undefined && current.state !== "live") all.push(`what is current is ${current.state}`);
  return { leaf, faults: all };
}

/** Whether the first certificate has this key. */
export function faultsOfPair(certificate: string, key: string): string[] {
  try {
    const fits = new X509Certificate(certificate).checkPrivateKey(createPrivateKey(key));
    return fits ? [] : ["the key is that of another certificate"];
  } catch (thrown) {
    return [`no certificate and key: ${thrown}`];
  }
}

function faultsOfGeneration(folder: string): string[] {
  const id = basename(folder);
  const manifest = readManifest(folder);
  if (manifest === undefined) return [`${id} has no manifest`];
  if (manifest.id !== id) return [`${id} says that it is ${manifest.id}`];
  const torn = Object.entries(manifest.files).flatMap(([name, facts]) =>
    faultsOfFile(join(folder, name), facts),
  );
  if (torn.length > 0) return torn.map((fault) => `${id}/${fault}`);
  const [chain = "", key = "", both = ""] = ["tls.crt", "tls.key", "tls.pem"].map((name) =>
    readFileSync(join(folder, name), "utf8"),
  );
  return [...faultsOfPair(chain, key), ...faultsOfPair(both, both)].map((fault) => `${id}: ${fault}`);
}

function faultsOfFile(path: string, { bytes, sha256 }: ManifestFile["files"][string]): string[] {
  const name = basename(path);
  if (!isThere(path)) return [`${name} is gone`];
  const content = readFileSync(path);
  const isRight = content.length === bytes && createHash("sha256").update(content).digest("hex") === sha256;
  const isSecret = name === "tls.key" || name === "tls.pem";
  const mode = statSync(path).mode & 0o777;
  return [
    ...(isRight ? [] : [`${name} has ${content.length} bytes that are not those of the manifest`]),
    ...(isSecret && (mode & 0o077) !== 0 ? [`${name} has mode ${mode.toString(8)}`] : []),
  ];
}

function readManifest(folder: string): ManifestFile | undefined {
  try {
    return JSON.parse(readFileSync(join(folder, "manifest.json"), "utf8")) as ManifestFile;
  } catch {
    // Missing or torn is the same to a reader.
    return undefined;
  }
}

function leafOf(path: string): string {
  return new X509Certificate(readFileSync(path)).fingerprint256;
}

function isThere(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false }) !== undefined;
}
