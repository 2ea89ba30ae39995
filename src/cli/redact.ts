/** Takes out of texts what should not leave a node: keys, tokens, passwords, and what stands in known secret files. Pure. */

const REMOVED = "[secret]";
const PEM = /-----BEGIN [^-\n]*-----[\s\S]*?(?:-----END [^-\n]*-----|$)/g;
const PEM_BOUNDARY = /-----(?:BEGIN|END) [^-\n]*-----/g;
/** Of Standard Webhooks. */
const HOOK_SECRET = /whsec_[A-Za-z0-9+/=_-]+/g;
const AUTHORIZATION = /\b(authorization\s*[:=]\s*|bearer\s+|basic\s+)(?:(?:bearer|basic)\s+)?[^\s"',;]+/gi;
const SECRET = "(?:passw(?:or)?d|passphrase|secret|token|api-?key|credential)s?";
/** `--password=x`, `"token": "x"`. */
const NAMED = new RegExp(`(\\b[\\w-]*${SECRET}["']?\\s*[=:]\\s*["']?)([^\\s"',;&]+)`, "gi");
/** `--password x`. */
const FLAGGED = new RegExp(`(--[\\w-]*${SECRET}\\s+)(\\S+)`, "gi");
const NAME_OF_A_SECRET = new RegExp(`^[\\w-]*${SECRET}$`, "i");
const ADDRESS = /\b[a-z][a-z0-9+.-]{0,30}:\/\/[^\s"'<>()]+/gi;
/** Shorter ones would be found where they are not meant. */
const LEAST_SECRET = 6;

/** What knows the secrets of a node. */
export interface Redactor {
  /** The same, without them; objects and lists are gone through. */
  redact(value: unknown): unknown;
}

/** @param secrets What stands in secret files: wherever it is found it is taken out. */
export function createRedactor(secrets: readonly string[]): Redactor {
  // Each line for itself too: a key in another wrapping has the same lines.
  const known = secrets
    .flatMap((secret) => [secret.trim(), ...secret.replace(PEM_BOUNDARY, " ").split(/\s+/)])
    .filter((secret) => secret.length >= LEAST_SECRET)
    .sort((a, b) => b.length - a.length);
  const redactText = (text: string): string => {
    // Whole blocks first: a line that two of them share would hide where the other begins.
    const withoutPem = text.replace(PEM, "[PEM removed]");
    return known
      .reduce((rest, secret) => rest.replaceAll(secret, REMOVED), withoutPem)
      .replace(HOOK_SECRET, REMOVED)
      .replace(AUTHORIZATION, `$1${REMOVED}`)
      .replace(ADDRESS, redactAddress)
      .replace(NAMED, redactNamed)
      .replace(FLAGGED, redactNamed);
  };
  const redact = (value: unknown): unknown => {
    if (typeof value === "string") return redactText(value);
    if (Array.isArray(value))
      return value.map((item, at) => (isNamedBefore(value, at) ? REMOVED : redact(item)));
    if (typeof value !== "object" || value === null) return value;
    const redactMember = (key: string, inner: unknown) => (isNamed(key, inner) ? REMOVED : redact(inner));
    return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, redactMember(key, inner)]));
  };
  return { redact };
}

/** A path tells where a secret is, and is none. */
function redactNamed(whole: string, name: string, value: string): string {
  return value.startsWith("/") ? whole : name + REMOVED;
}

/** `--password` and the word after it, as in the arguments of a program. */
function isNamedBefore(list: readonly unknown[], at: number): boolean {
  const before = list[at - 1];
  return typeof before === "string" && before.startsWith("-") && isNamed(before, list[at]);
}

function isNamed(name: string, value: unknown): boolean {
  return typeof value === "string" && !value.startsWith("/") && NAME_OF_A_SECRET.test(name);
}

/** Without user, password, and the values of its query. */
function redactAddress(text: string): string {
  return text
    .replace(/^([^:]*:\/\/)[^/?#]*@/, `$1${REMOVED}@`)
    .replace(/([?&][^=&#]*=)[^&#]*/g, `$1${REMOVED}`)
    .replace(/#.*$/, `#${REMOVED}`);
}
