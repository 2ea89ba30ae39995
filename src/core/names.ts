/** Keys of etcd to bundle names and back: the only way a key can become a path, so it is strict. */

/** A bundle's name; safe as a folder name because it matches {@link NAME}. */
export type BundleName = string & { readonly __brand: "BundleName" };

/** What one key holds of a bundle. `whole` is every block in one value; the rest are named as in a Kubernetes TLS secret. */
export type Part = "whole" | "tls.crt" | "tls.key" | "ca.crt" | "ca.crl" | "meta.json";

const NAME = /^[a-z0-9]([a-z0-9._-]{0,61}[a-z0-9])?$/;
const WHOLE_SUFFIX = ".pem";
const FILES: readonly Part[] = ["tls.crt", "tls.key", "ca.crt", "ca.crl", "meta.json"];

/** What a key under the prefix means. */
export type KeyMeaning =
  | { readonly kind: "part"; readonly name: BundleName; readonly part: Part }
  | { readonly kind: "ignored"; readonly why: string };

/** The name, where `text` is one. */
export function bundleName(text: string): BundleName | undefined {
  return NAME.test(text) ? (text as BundleName) : undefined;
}

/**
 * Reads a key. `/certs/a`, `/certs/a.pem` are whole bundles; `/certs/a/tls.crt` and its like are parts; anything
 * else is ignored, with the reason.
 */
export function readKey(prefix: string, key: string): KeyMeaning {
  if (!key.startsWith(prefix)) return { kind: "ignored", why: `it is not under ${prefix}` };
  const [first = "", file, ...deeper] = key.slice(prefix.length).split("/");
  if (deeper.length > 0) return { kind: "ignored", why: "it has too many levels: <name> or <name>/<file>" };
  const name = bundleName(file === undefined ? withoutSuffix(first) : first);
  if (name === undefined) {
    return { kind: "ignored", why: `${JSON.stringify(first)} is not a bundle name (${NAME.source})` };
  }
  if (file === undefined) return { kind: "part", name, part: "whole" };
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
  const whole = [`${name}${WHOLE_SUFFIX}`];
  if (!name.endsWith(WHOLE_SUFFIX)) whole.unshift(name);
  return [
    ...whole.map((last) => ({ key: prefix + last, part: "whole" as const })),
    ...FILES.map((part) => ({ key: `${prefix}${name}/${part}`, part })),
  ];
}

function withoutSuffix(last: string): string {
  return last.endsWith(WHOLE_SUFFIX) ? last.slice(0, -WHOLE_SUFFIX.length) : last;
}
