/** Keys of etcd to bundle names and back: the only way a key can become a path, so it is strict. */

/** A bundle's name; safe as a folder name because it matches {@link NAME}. */
export type BundleName = string & { readonly __brand: "BundleName" };

/**
 * What one key holds of a bundle. `whole` is every block in one value, `pkcs12` the same as a PKCS#12 file; the rest are
 * named as in a Kubernetes TLS secret.
 */
export type Part = "whole" | "pkcs12" | "tls.crt" | "tls.key" | "ca.crt" | "ca.crl" | "meta.json";

const NAME = /^[a-z0-9]([a-z0-9._-]{0,61}[a-z0-9])?$/;
/** What a key of one level may end with, and what it then holds. One suffix is taken off: `a.pem.p12` is of `a.pem`. */
const SUFFIXES: readonly (readonly [suffix: string, part: Part])[] = [
  [".pem", "whole"],
  [".p12", "pkcs12"],
];
const FILES: readonly Part[] = ["tls.crt", "tls.key", "ca.crt", "ca.crl", "meta.json"];

/** What a key under the prefix means. */
export type KeyMeaning =
  | { readonly kind: "part"; readonly name: BundleName; readonly part: Part }
  | { readonly kind: "ignored"; readonly why: string };

/** The name, where `text` is one. */
export function bundleName(text: string): BundleName | undefined {
  return NAME.test(text) ? (text as BundleName) : undefined;
}

/** Whether a part is a bundle by itself, beside which there is no other. */
export function isWholeBundle(part: Part): boolean {
  return part === "whole" || part === "pkcs12";
}

/**
 * Reads a key. `/certs/a`, `/certs/a.pem` and `/certs/a.p12` are whole bundles; `/certs/a/tls.crt` and its like are
 * parts; anything else is ignored, with the reason.
 */
export function readKey(prefix: string, key: string): KeyMeaning {
  if (!key.startsWith(prefix)) return { kind: "ignored", why: `it is not under ${prefix}` };
  const [first = "", file, ...deeper] = key.slice(prefix.length).split("/");
  if (deeper.length > 0) return { kind: "ignored", why: "it has too many levels: <name> or <name>/<file>" };
  const [suffix, whole] = (file === undefined ? suffixOf(first) : undefined) ?? ["", "whole"];
  const name = bundleName(first.slice(0, first.length - suffix.length));
  if (name === undefined) {
    return { kind: "ignored", why: `${JSON.stringify(first)} is not a bundle name (${NAME.source})` };
  }
  if (file === undefined) return { kind: "part", name, part: whole };
  const part = FILES.find((known) => known === file);
  if (part === undefined) {
    return { kind: "ignored", why: `${JSON.stringify(file)} is not one of ${FILES.join(", ")}` };
  }
  return { kind: "part", name, part };
}

/** Every key that could hold something of the bundle: the inverse of {@link readKey}. */
export function keysOf(
  prefix: string,
  name: BundleName,
): readonly { readonly key: string; readonly part: Part }[] {
  const wholes = SUFFIXES.map(([suffix, part]) => ({ key: `${prefix}${name}${suffix}`, part }));
  // Where the name itself ends like a key with a suffix, that key belongs to the shorter name.
  if (suffixOf(name) === undefined) wholes.unshift({ key: prefix + name, part: "whole" });
  return [...wholes, ...FILES.map((part) => ({ key: `${prefix}${name}/${part}`, part }))];
}

function suffixOf(last: string): (typeof SUFFIXES)[number] | undefined {
  return SUFFIXES.find(([suffix]) => last.endsWith(suffix));
}
