/** Takes out of texts what should not leave a node: keys, tokens, passwords, and what stands in known secret files. Pure. */
import { secretsIn } from "./config-secrets.ts";
import { SECRET } from "./plain-word.ts";
import { ADDRESS, redactAddress } from "./redact-address.ts";
import { createIsOpen, redactArgv } from "./redact-argv.ts";

const PEM = /-----BEGIN [^-\n]*-----[\s\S]*?(?:-----END [^-\n]*-----|$)/g;
const PEM_BOUNDARY = /-----(?:BEGIN|END) [^-\n]*-----/g;
/** Of Standard Webhooks. */
const HOOK_SECRET = /whsec_[A-Za-z0-9+/=_-]+/g;
const AUTHORIZATION = /\b(authorization\s*[:=]\s*|bearer\s+|basic\s+)(?:(?:bearer|basic)\s+)?[^\s"',;]+/gi;
const NAME = "(?:passw(?:or)?d|passphrase|secret|token|api-?key|credential)s?";
/** `--password=x`, `"token": "x"`. */
const NAMED = new RegExp(`(\\b[\\w-]*${NAME}["']?\\s*[=:]\\s*["']?)([^\\s"',;&]+)`, "gi");
/** `--password x`. */
const FLAGGED = new RegExp(`(--[\\w-]*${NAME}\\s+)(\\S+)`, "gi");
const NAME_OF_A_SECRET = new RegExp(`^[\\w-]*${NAME}$`, "i");
/** Shorter ones would be found where they are not meant. */
const LEAST_SECRET = 6;

/** What knows the secrets of a node. */
export interface Redactor {
  /** The same, without them; objects and lists are gone through. */
  redact(value: unknown): unknown;
}

/** What names services and bundles. */
interface Named {
  readonly services: readonly { readonly name: string; readonly bundles: readonly string[] }[];
}

/**
 * @param secrets What stands in secret files: wherever it is found it is taken out.
 * @param config What may be a secret in it is taken out everywhere too.
 */
export function createRedactor(secrets: readonly string[], config: Named = { services: [] }): Redactor {
  const isOpen = createIsOpen(config.services.flatMap(({ name, bundles }) => [name, ...bundles]));
  // Each line for itself too: a key in another wrapping has the same lines.
  const known = secrets
    .flatMap((secret) => [secret.trim(), ...secret.replace(PEM_BOUNDARY, " ").split(/\s+/)])
    .concat(secretsIn(config, isOpen))
    .filter((secret) => secret.length >= LEAST_SECRET)
    .sort((a, b) => b.length - a.length);
  const redactText = (text: string): string => {
    // Whole blocks first: a line that two of them share would hide where the other begins.
    const withoutPem = text.replace(PEM, "[PEM removed]");
    return known
      .reduce((rest, secret) => rest.replaceAll(secret, SECRET), withoutPem)
      .replace(HOOK_SECRET, SECRET)
      .replace(AUTHORIZATION, `$1${SECRET}`)
      .replace(ADDRESS, (address) => redactAddress(address, ignore))
      .replace(NAMED, redactNamed)
      .replace(FLAGGED, redactNamed);
  };
  const redact = (value: unknown): unknown => {
    if (typeof value === "string") return redactText(value);
    if (Array.isArray(value))
      return value.map((item, at) => (isNamedBefore(value, at) ? SECRET : redact(item)));
    if (typeof value !== "object" || value === null) return value;
    const redactMember = (key: string, inner: unknown) => {
      if (key !== "argv" || !Array.isArray(inner)) return isNamed(key, inner) ? SECRET : redact(inner);
      const shown = redactArgv(inner.map(String), isOpen, ignore);
      return shown.map((word, at) => (isNamedBefore(inner, at) ? SECRET : redact(word)));
    };
    return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, redactMember(key, inner)]));
  };
  return { redact };
}

/** What is only shown is not looked for. */
function ignore(): void {}

/** A path tells where a secret is, and is none. */
function redactNamed(whole: string, name: string, value: string): string {
  return value.startsWith("/") ? whole : name + SECRET;
}

/** `--password` and the word after it, as in the arguments of a program. */
function isNamedBefore(list: readonly unknown[], at: number): boolean {
  const before = list[at - 1];
  return typeof before === "string" && before.startsWith("-") && isNamed(before, list[at]);
}

function isNamed(name: string, value: unknown): boolean {
  return typeof value === "string" && !value.startsWith("/") && NAME_OF_A_SECRET.test(name);
}
