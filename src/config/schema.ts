/** Every setting, with its default and its meaning: the one place that says what `keyturn.yaml` may hold. */
import { hostname } from "node:os";
import { z } from "zod";
import { about } from "./about.ts";
import { alerts } from "./alerts-schema.ts";
import { httpNotify, services } from "./service-schema.ts";
import {
  bundlePattern,
  duration,
  endpoint,
  fileMode,
  filePath,
  lifeSpan,
  listenAddress,
  objectIdentifier,
  positiveDuration,
  shortName,
} from "./values.ts";

const etcd = z.strictObject({
  endpoints: about(
    "etcd endpoints. Another one is tried when one fails. Over https on Node 26: host names only, no IP addresses.",
    z.array(endpoint).min(1, "expected at least one endpoint").prefault(["http://127.0.0.1:2379"]),
    { sample: ["https://etcd-0.internal:2379", "https://etcd-1.internal:2379"] },
  ),
  prefix: about(
    "prefix of the keys",
    z
      .string("expected a prefix such as /certs/")
      .regex(/^.+\/$/, 'expected a prefix that ends with "/", such as /certs/')
      .default("/certs/"),
  ),
  tls: about(
    "TLS to etcd. The files are read again when they change.",
    z
      .strictObject({
        caFile: about("CA that etcd's certificate is checked against", filePath.optional(), {
          shownDefault: "the CAs that Node trusts",
          sample: "/etc/keyturn/etcd/ca.crt",
        }),
        certFile: about("client certificate for etcd, with its intermediates", filePath.optional(), {
          sample: "/etc/keyturn/etcd/tls.crt",
        }),
        keyFile: about("private key of that certificate", filePath.optional(), {
          sample: "/etc/keyturn/etcd/tls.key",
        }),
      })
      .refine(({ certFile, keyFile }) => (certFile === undefined) === (keyFile === undefined), {
        error: "expected certFile and keyFile together",
      })
      .optional(),
    { dependencies: { certFile: ["keyFile"], keyFile: ["certFile"] } },
  ),
  username: about("etcd user", z.string("expected a user name").min(1).optional(), { sample: "keyturn" }),
  passwordFile: about("file with the password of the etcd user", filePath.optional(), {
    sample: "/etc/keyturn/etcd-password",
  }),
  resyncEvery: about("how often the prefix is listed and compared", positiveDuration.prefault("5m")),
});

const output = z.strictObject({
  dir: about("folder the bundles are written to", filePath.default("/var/lib/keyturn"), { title: "folder" }),
  keep: about(
    "previous generations that stay beside the current one",
    z
      .int("expected a whole number")
      .min(1, "expected at least 1")
      .max(100, "expected at most 100")
      .default(5),
  ),
  mode: about(
    "mode of files that hold a private key. Never open to others, never writable by the group.",
    fileMode.prefault("0600"),
  ),
  owner: about("owner of the files", shortName.optional(), {
    shownDefault: "who runs keyturn",
    sample: "root",
  }),
  group: about("group of the files. Folders then have mode 0750, else 0700.", shortName.optional(), {
    shownDefault: "that of who runs keyturn",
    sample: "tls",
  }),
  auditEvery: about(
    "how often files are compared with what they were written as",
    positiveDuration.prefault("1m"),
  ),
  onDelete: about(
    "what becomes of a bundle that was deleted in etcd",
    z.enum(["keep", "remove"], "expected keep or remove").default("keep"),
  ),
});

const bundles = z.strictObject({
  include: about("bundles this node takes: names or patterns", z.array(bundlePattern).default(["*"])),
  exclude: about("bundles this node does not take", z.array(bundlePattern).default([]), {
    sample: ["test-*"],
  }),
});

const extendedKeyUsages = z.array(z.enum(["serverAuth", "clientAuth"], "expected serverAuth or clientAuth"));
const profile = z.enum(["default", "fips"], "expected default or fips");
const subjectNames = z.array(z.string("expected a name").min(1, "expected a name"));
const sameAsForAll = { shownDefault: "as for all" };

/** What some bundles are checked by, in place of the settings for all. */
const checkRule = z.strictObject({
  bundles: about(
    "which bundles: names or patterns",
    z.array(bundlePattern).min(1, "expected at least one bundle"),
    { sample: ["api-*"] },
  ),
  profile: about("as `checks.profile`", profile.optional(), sameAsForAll),
  minRemaining: about("as `checks.minRemaining`", duration.optional(), sameAsForAll),
  maxValidity: about("as `checks.maxValidity`", lifeSpan.optional(), sameAsForAll),
  allowCriticalOids: about(
    "as `checks.allowCriticalOids`",
    z.array(objectIdentifier).optional(),
    sameAsForAll,
  ),
  requireNames: about("subject alternative names the leaf has to cover", subjectNames.optional(), {
    sample: ["api.example.com"],
  }),
  requireEku: about("as `checks.requireEku`", extendedKeyUsages.optional(), sameAsForAll),
  passphraseFile: about(
    "file with the passphrase of an encrypted private key or PKCS#12 file",
    filePath.optional(),
    { sample: "/etc/keyturn/passphrase" },
  ),
});

const checks = z.strictObject({
  profile: about(
    "which algorithms are allowed. `fips` is an allow-list of approved ones.",
    profile.default("default"),
  ),
  minRemaining: about("a leaf with less time left is rejected", duration.prefault("1h")),
  maxValidity: about(
    "a leaf that is valid for longer is rejected. Counted from its first moment to its last.",
    lifeSpan.optional(),
    { shownDefault: "no limit", sample: "90d" },
  ),
  allowCriticalOids: about(
    "critical extensions that are accepted. OpenSSL clients may refuse them all the same.",
    z.array(objectIdentifier).default([]),
    { sample: ["1.3.6.1.4.1.99999.1"] },
  ),
  requireEku: about("uses every leaf has to have: serverAuth, clientAuth", extendedKeyUsages.default([]), {
    sample: ["serverAuth"],
  }),
  trustGuard: about(
    "whether a trust bundle that cuts off a live certificate is rejected",
    z.enum(["on", "off"], "expected on or off").default("on"),
  ),
  rules: about(
    "the same settings for some bundles, and two more. Rules are applied in order; a later one wins.",
    z.array(checkRule).prefault([]),
  ),
  settle: about(
    "how long parts may take to fit together. What takes longer is reported.",
    duration.prefault("2s"),
  ),
});

const queue = z.strictObject({
  concurrency: about(
    "bundles reloaded at the same time",
    z.int("expected a whole number").min(1, "expected at least 1").max(64, "expected at most 64").default(1),
  ),
  splay: about(
    "longest random wait before a reload. So that a fleet does not move in step.",
    duration.prefault("0s"),
    { sample: "30s" },
  ),
});

const expiry = z.strictObject({
  warnAt: about(
    "time left at which a warning is given, once for each",
    z.array(lifeSpan).prefault(["30d", "7d", "1d"]),
  ),
  warnBelow: about(
    "share of the lifetime left below which a warning is given. 0 for none.",
    z
      .number("expected a share such as 0.33")
      .min(0)
      .max(1, "expected at most 1")
      .default(1 / 3),
    { shownDefault: "a third", sample: 0.33 },
  ),
});

const admin = z.strictObject({
  listen: about("address of metrics, health and status", listenAddress.prefault("127.0.0.1:9464")),
  tokenFile: about(
    "file with the token of the admin endpoints. Requests that change something have to bring it; " +
      "without it they are refused.",
    filePath.optional(),
    { sample: "/etc/keyturn/admin-token" },
  ),
});

const LEVELS = ["trace", "debug", "info", "warn", "error", "fatal"] as const;

const log = z.strictObject({
  level: about(
    "least important level that is logged",
    z.enum(LEVELS, "expected trace, debug, info, warn, error or fatal").default("info"),
  ),
  format: about(
    "how it is logged. `auto` is text on a terminal, JSON elsewhere.",
    z.enum(["auto", "json", "text"], "expected auto, json or text").default("auto"),
  ),
});

/** The whole configuration. */
export const configSchema = z.strictObject({
  node: about(
    "name of this node in hooks and metrics, and one that the admin server answers to",
    shortName.default(() => hostname()),
    {
      shownDefault: "the host name",
      sample: "gpu-017",
    },
  ),
  etcd: about("where bundles come from", etcd.prefault({})),
  output: about("where bundles are written to", output.prefault({})),
  bundles: about("which bundles this node takes", bundles.prefault({})),
  checks: about("what a bundle has to be", checks.prefault({})),
  queue: about("how reloads are spread", queue.prefault({})),
  services: about("local services: told when a bundle of theirs changes, and looked at", services),
  expiry: about("when a certificate that nears its end is warned of", expiry.prefault({}), {
    fileOnly: true,
  }),
  renewal: about(
    "is told of certificates that near their end, so that an issuer can act",
    z.strictObject({ http: about("by an HTTP hook, as for services", httpNotify) }).optional(),
    { fileOnly: true },
  ),
  alerts: about("what Alertmanager may have done by `POST /-/alerts`", alerts.prefault({}), {
    fileOnly: true,
  }),
  admin: about("the admin server", admin.prefault({})),
  log: about("what is logged, and how", log.prefault({})),
});

/** A configuration that was checked; durations in milliseconds. */
export type Config = z.output<typeof configSchema>;

/** Settings of a hook: `services[].notify.http` and `renewal.http`. */
export type HttpNotifyConfig = z.output<typeof httpNotify>;

/** One service of it. */
export type ServiceConfig = Config["services"][number];
