/**
 * Loads what is current of a bundle on disk, whole or not at all:
 *
 *  1. resolve `current` once: everything else is read from that generation's folder
 *  2. read its manifest, and each file that is named there, and compare length and SHA-256
 *  3. let OpenSSL make a context of it; the key has to belong to the leaf
 */
import { createHash, createPrivateKey, X509Certificate } from "node:crypto";
import { readFile, realpath } from "node:fs/promises";
import { join } from "node:path";
import { createSecureContext } from "node:tls";
import { KeyturnError, messageOf, systemCodeOf } from "../core/errors.ts";
import { Secret } from "../core/secret.ts";
import { BundleVersion, type TlsMaterial } from "./bundle-version.ts";
import { type FileName, type Manifest, parseManifest } from "./manifest.ts";

/** Rotations that may overtake one load: with `output.keep: 0` the folder that was current goes at once. */
const MOST_OVERTAKEN = 5;

/**
 * Loads it.
 *
 * @param dir The bundle's folder, in which `current` is.
 * @throws KeyturnError BUNDLE_ABSENT where nothing is current; GENERATION_REFUSED where what is current cannot be used, or
 * not be read before the signal.
 */
export async function loadCurrent(dir: string, signal: AbortSignal): Promise<BundleVersion> {
  const loading = load(dir, signal);
  // A read that hangs, as of a network file system, cannot be broken off: it is left behind.
  return Promise.race([loading, rejectionBy(signal, dir)]);
}

/**
 * The folder of the generation that is current.
 *
 * @throws KeyturnError BUNDLE_ABSENT, GENERATION_REFUSED.
 */
export async function resolveCurrent(dir: string): Promise<string> {
  try {
    return await realpath(join(dir, "current"));
  } catch (thrown) {
    const code = systemCodeOf(thrown);
    if (code !== "ENOENT") throw refusal(`${join(dir, "current")} cannot be resolved (${code})`, thrown);
    const help = "is it the folder of a bundle, and did keyturn write it?";
    throw new KeyturnError("BUNDLE_ABSENT", `nothing is current in ${dir}; ${help}`, { cause: thrown });
  }
}

async function load(dir: string, signal: AbortSignal): Promise<BundleVersion> {
  for (let overtaken = 0; ; overtaken++) {
    const folder = await resolveCurrent(dir);
    try {
      return await loadFrom(folder, signal);
    } catch (thrown) {
      const isOvertaken = overtaken < MOST_OVERTAKEN && (await resolveCurrent(dir)) !== folder;
      if (!isOvertaken) throw thrown;
    }
  }
}

async function loadFrom(folder: string, signal: AbortSignal): Promise<BundleVersion> {
  const manifest = parseManifest(await readText(join(folder, "manifest.json"), signal));
  if (manifest === undefined) throw refusal(`${join(folder, "manifest.json")} is no manifest of keyturn`);
  const read = (name: FileName) => readListed(manifest, folder, name, signal);
  const files = [read("tls.crt"), read("tls.key"), read("ca.crt"), read("ca.crl")] as const;
  // Of several faults the first in this order, not in time: it is then told in the same words at each look.
  await Promise.allSettled(files);
  const [cert, key, ca, crl] = await Promise.all(files);
  const material = { cert, key, ca: blocksOf(ca), crl: blocksOf(crl) };
  prove(material, manifest, folder);
  return new BundleVersion(manifest.facts, new Secret(material));
}

/** Undefined for a file that the generation does not have. */
async function readListed(
  { files }: Manifest,
  folder: string,
  name: FileName,
  signal: AbortSignal,
): Promise<string | undefined> {
  const expected = files[name];
  if (expected === undefined) return undefined;
  const path = join(folder, name);
  const text = await readText(path, signal);
  const sha256 = createHash("sha256").update(text).digest("hex");
  if (Buffer.byteLength(text) === expected.bytes && sha256 === expected.sha256) return text;
  throw refusal(`${path} is not what its manifest says: it was cut short or changed`);
}

async function readText(path: string, signal: AbortSignal): Promise<string> {
  try {
    return await readFile(path, { encoding: "utf8", signal });
  } catch (thrown) {
    signal.throwIfAborted();
    const code = systemCodeOf(thrown);
    const help = code === "EACCES" ? "; let this process's group read keys (output.group, output.mode)" : "";
    throw refusal(`${path} cannot be read (${code})${help}`, thrown);
  }
}

/** What nobody could serve is refused here, and not by a server that has taken half of it. */
function prove(material: TlsMaterial, { facts }: Manifest, folder: string): void {
  const { cert, key, ca, crl } = material;
  if ((cert === undefined) !== (key === undefined))
    throw refusal(`${folder} has only one of tls.crt and tls.key`);
  try {
    createSecureContext({ ...(cert && key ? { cert, key } : {}), ca: [...ca], crl: [...crl] });
    if (cert === undefined || key === undefined) return;
    // Node takes an EC certificate with an RSA key.
    const leaf = new X509Certificate(cert);
    if (!leaf.checkPrivateKey(createPrivateKey(key))) throw new Error("the key does not belong to the leaf");
    if (leaf.fingerprint256 !== facts.leaf?.fingerprint256) throw new Error("tls.crt has another leaf");
  } catch (thrown) {
    throw refusal(`${folder} cannot be used: ${messageOf(thrown)}`, thrown);
  }
}

/** The blocks of a file of keyturn's own, one by one. */
function blocksOf(pem: string | undefined): string[] {
  return pem === undefined ? [] : pem.split(/(?=-----BEGIN )/).filter((block) => block.trim() !== "");
}

async function rejectionBy(signal: AbortSignal, dir: string): Promise<never> {
  await new Promise<void>((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener("abort", () => resolve(), { once: true });
  });
  throw refusal(`${dir} could not be read in time`, signal.reason);
}

function refusal(message: string, cause?: unknown): KeyturnError {
  return new KeyturnError("GENERATION_REFUSED", message, { cause });
}
