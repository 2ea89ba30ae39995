/** Settings as people write them: durations, modes, addresses. Each says what it expected where it is not that. */
import { z } from "zod";
import { kind } from "./about.ts";

const UNITS_MS: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};
const DURATION = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)$/;
/** Timers of Node end at 2^31 - 1 ms. */
const MAX_TIMER_DAYS = 24;
/** A hundred years: longer than any certificate is of use. */
const MAX_SPAN_DAYS = 36_500;

/** `500ms`, `30s`, `5m`, `12h`, `7d` to milliseconds; zero and up to 24 days. */
export const duration = durationUpTo(MAX_TIMER_DAYS);

/** A duration that may not be zero. */
export const positiveDuration = duration.refine((ms) => ms > 0, "expected a duration longer than 0");

/** A part of a certificate's life, which nobody waits for with a timer: up to a hundred years, not zero. */
export const lifeSpan = durationUpTo(MAX_SPAN_DAYS).refine(
  (ms) => ms > 0,
  "expected a duration longer than 0",
);

function durationUpTo(mostDays: number) {
  const text = z.string("expected a duration such as 30s, 5m or 12h");
  return kind("duration", text, { pattern: DURATION.source }).transform((text, context) => {
    const [, number, unit] = DURATION.exec(text) ?? [];
    const ms =
      number === undefined || unit === undefined ? Number.NaN : Number(number) * (UNITS_MS[unit] ?? 0);
    if (ms <= mostDays * 86_400_000) return ms;
    context.addIssue(`expected a duration such as 30s, 5m or 12h, at most ${mostDays}d`);
    return z.NEVER;
  });
}

/** Milliseconds in the largest unit of which they are a whole number. */
export function writeDuration(ms: number): string {
  const units = Object.entries(UNITS_MS).reverse();
  const [unit, size] = units.find(([, size]) => ms > 0 && ms % size === 0) ?? ["s", 1_000];
  return `${ms / size}${unit}`;
}

/** `"0640"` to a number; the owner can always read and write, and nobody else can write. */
export const fileMode = kind("mode", z.string('expected an octal mode in quotes, such as "0600"'), {
  pattern: "^0?[67][04]0$",
})
  .regex(/^0?[0-7]{3}$/, 'expected an octal mode in quotes, such as "0600"')
  .transform((text) => Number.parseInt(text, 8))
  .refine((mode) => (mode & 0o600) === 0o600, "expected a mode that lets the owner read and write (06..)")
  .refine(
    (mode) => (mode & 0o037) === 0,
    "private keys may not be open to others or writable by the group; 0600 or 0640",
  );

/** A mode as four octal digits. */
export function writeMode(mode: number): string {
  return mode.toString(8).padStart(4, "0");
}

const ADDRESS = /^(?:\[([0-9a-fA-F:]+)\]|([^:[\]]*)):(\d{1,5})$/;

/** `host:port`, `[::1]:port` or `:port`. */
export const listenAddress = kind("host:port", z.string("expected host:port"), {
  pattern: ADDRESS.source,
}).transform((text, context) => {
  const [, bracketed, plain, digits] = ADDRESS.exec(text) ?? [];
  const port = Number(digits);
  if (digits !== undefined && port <= 65_535) return { host: bracketed ?? (plain || "0.0.0.0"), port };
  context.addIssue("expected host:port, such as 127.0.0.1:9464");
  return z.NEVER;
});

/** An address as {@link listenAddress} reads it. */
export function writeAddress({ host, port }: { readonly host: string; readonly port: number }): string {
  return `${host.includes(":") ? `[${host}]` : host}:${port}`;
}

/** `host:port` of a service on this node. */
export const serviceAddress = listenAddress.refine(
  ({ port }) => port > 0,
  "expected host:port, such as 127.0.0.1:8443",
);

/** An object identifier, dotted. */
export const objectIdentifier = kind(
  "object identifier",
  z
    .string("expected an object identifier such as 1.3.6.1.4.1.99999.1, in quotes")
    .regex(/^[0-2](\.\d+)+$/, "expected an object identifier such as 1.3.6.1.4.1.99999.1, in quotes"),
);

/** A mode of a file that services read: `"0644"`; nobody but the owner can write. */
export const plainFileMode = kind("mode", z.string('expected an octal mode in quotes, such as "0640"'), {
  pattern: "^0?6[04][04]$",
})
  .regex(/^0?[0-7]{3}$/, 'expected an octal mode in quotes, such as "0640"')
  .transform((text) => Number.parseInt(text, 8))
  .refine((mode) => (mode & 0o600) === 0o600, "expected a mode that lets the owner read and write (06..)")
  .refine(
    (mode) => (mode & 0o133) === 0,
    "a file here may be written by its owner only, and not be executed",
  );

/** A path that does not depend on where the daemon was started. */
export const absolutePath = kind(
  "absolute path",
  z.string("expected an absolute path").regex(/^\//, "expected an absolute path, one that begins with /"),
);

/** An etcd endpoint. */
export const endpoint = kind(
  "address",
  z.url({ protocol: /^https?$/, error: "expected http://host:port or https://host:port", abort: true }),
  { pattern: "^https?://[^/?#@]+([/?#].*)?$" },
)
  .refine(
    (text) => !hasUserInfo(text),
    "put the user into etcd.username and etcd.passwordFile, not into the address",
  )
  .transform((text) => text.replace(/\/+$/, ""));

/** The address of a hook on this node. */
export const hookUrl = kind(
  "address",
  z.url({ protocol: /^https?$/, error: "expected an http:// or https:// address", abort: true }),
  { pattern: "^https?://[^/?#@]+([/?#].*)?$" },
).refine((text) => !hasUserInfo(text), "an address may not hold a user or a password; use secretFile");

/** A name of a bundle, or a pattern of one. */
export const bundlePattern = kind(
  "name or pattern",
  z
    .string("expected a bundle name or a pattern")
    .regex(/^[a-z0-9*?][a-z0-9._*?-]*$/, "expected a bundle name, or a pattern with * and ?"),
);

/** The name of an alert. */
export const alertName = z
  .string("expected the name of an alert")
  .regex(/^[A-Za-z0-9_][A-Za-z0-9_:. -]{0,127}$/, "expected the name of an alert, at most 128 long");

/** The name of a label (https://prometheus.io/docs/concepts/data_model/). */
export const labelName = z
  .string("expected the name of a label")
  .regex(/^[a-zA-Z_][a-zA-Z0-9_]{0,127}$/, "expected the name of a label, such as instance");

/** A short name that may be a label value. */
export const shortName = kind(
  "name",
  z
    .string("expected a name")
    .regex(
      /^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/,
      "expected a name of letters, digits, '.', '_' and '-', at most 63 long",
    ),
);

/** A file on this node. */
export const filePath = kind("path", z.string("expected a path").min(1, "expected a path"));

function hasUserInfo(text: string): boolean {
  const { username, password } = new URL(text);
  return username !== "" || password !== "";
}
