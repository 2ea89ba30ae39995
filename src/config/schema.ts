/** Every setting, with its default: the one place that says what `keyturn.yaml` may hold. */
import { hostname } from "node:os";
import { z } from "zod";
import {
  absolutePath,
  bundlePattern,
  duration,
  endpoint,
  fileMode,
  filePath,
  hookUrl,
  lifeSpan,
  listenAddress,
  objectIdentifier,
  plainFileMode,
  positiveDuration,
  serviceAddress,
  shortName,
} from "./values.ts";

const etcd = z.strictObject({
  /** Members of the cluster; another one is tried when one fails. */
  endpoints: z.array(endpoint).min(1, "expected at least one endpoint").default(["http://127.0.0.1:2379"]),
  prefix: z
    .string("expected a prefix such as /certs/")
    .regex(/^.+\/$/, 'expected a prefix that ends with "/", such as /certs/')
    .default("/certs/"),
  tls: z
    .strictObject({
      caFile: filePath.optional(),
      certFile: filePath.optional(),
      keyFile: filePath.optional(),
    })
    .refine(({ certFile, keyFile }) => (certFile === undefined) === (keyFile === undefined), {
      error: "expected certFile and keyFile together",
    })
    .optional(),
  username: z.string("expected a user name").min(1).optional(),
  passwordFile: filePath.optional(),
  resyncEvery: positiveDuration.prefault("5m"),
});

const output = z.strictObject({
  dir: filePath.default("/var/lib/keyturn"),
  /** Previous generations that stay beside the current one. */
  keep: z
    .int("expected a whole number")
    .min(1, "expected at least 1")
    .max(100, "expected at most 100")
    .default(5),
  /** Mode of files that hold a private key. */
  mode: fileMode.prefault("0600"),
  owner: shortName.optional(),
  group: shortName.optional(),
  /** How often files are compared with what they were written as. */
  auditEvery: positiveDuration.prefault("1m"),
  onDelete: z.enum(["keep", "remove"], "expected keep or remove").default("keep"),
});

const httpNotify = z.strictObject({
  url: hookUrl,
  method: z.enum(["POST", "PUT"], "expected POST or PUT").default("POST"),
  timeout: positiveDuration.prefault("5s"),
  attempts: z
    .int("expected a whole number")
    .min(1, "expected at least 1")
    .max(20, "expected at most 20")
    .default(5),
  secretFile: filePath.optional(),
  socketPath: filePath.optional(),
});

const execNotify = z.strictObject({
  /** A program and its arguments; no shell is between. */
  argv: z
    .array(z.string("expected a word"), "expected a program and its arguments, such as [nginx, -s, reload]")
    .min(1, "expected a program and its arguments, such as [nginx, -s, reload]"),
  timeout: positiveDuration.prefault("10s"),
});

const signalNotify = z.strictObject({
  pidFile: absolutePath,
  signal: z
    .enum(
      ["SIGHUP", "SIGUSR1", "SIGUSR2", "SIGWINCH", "SIGTERM", "SIGINT"],
      "expected SIGHUP, SIGUSR1, SIGUSR2, SIGWINCH, SIGTERM or SIGINT",
    )
    .default("SIGHUP"),
  /** The process has to have this name, as /proc says; guards against a pid file that was left behind. */
  processName: z.string("expected the name of a process").min(1).optional(),
});

const haproxyNotify = z.strictObject({
  /** The runtime socket: `stats socket PATH level admin` of haproxy. */
  socketPath: absolutePath,
  /** The certificate as haproxy knows it, which is the path of its `crt`; the bundle's `tls.pem` where it is not given. */
  certificate: absolutePath.optional(),
  timeout: positiveDuration.prefault("5s"),
});

const notify = z
  .strictObject({
    http: httpNotify.optional(),
    exec: execNotify.optional(),
    signal: signalNotify.optional(),
    haproxy: haproxyNotify.optional(),
    /** The service watches its files itself. */
    none: z.strictObject({}).optional(),
  })
  .refine((ways) => Object.values(ways).filter((way) => way !== undefined).length === 1, {
    error: "expected exactly one of http, exec, signal, haproxy, none",
  });

const tlsProbe = z.strictObject({
  address: serviceAddress,
  /** Server name indication; the first DNS name of the leaf where it is not given. */
  serverName: z.string("expected a host name").min(1).optional(),
  /** How long the service may take to serve the new certificate. */
  within: positiveDuration.prefault("10s"),
  /** Sessions in a row that all have to get it: a service may have several workers. */
  connections: z
    .int("expected a whole number")
    .min(1, "expected at least 1")
    .max(64, "expected at most 64")
    .default(3),
  /** The bundle whose certificate is presented, where the service asks for one. */
  clientBundle: shortName.optional(),
  /** Which of the service's bundles are served here: names or patterns; all but `clientBundle` where not given. */
  bundles: z.array(bundlePattern).min(1, "expected at least one bundle").optional(),
});

const httpProbe = z.strictObject({
  url: hookUrl,
  expect: z.int("expected a status").min(100, "expected a status").max(599, "expected a status").default(200),
  within: positiveDuration.prefault("10s"),
});

const verify = z
  .strictObject({
    tls: tlsProbe.optional(),
    http: httpProbe.optional(),
    /** How often it is looked at between rotations. */
    every: positiveDuration.prefault("1m"),
  })
  .refine(({ tls, http }) => tls !== undefined || http !== undefined, {
    error: "expected tls, http or both",
  });

const plainFile = z.strictObject({
  path: absolutePath,
  content: z.enum(
    ["cert", "key", "chain", "fullchain", "combined", "ca", "crl"],
    "expected cert, key, chain, fullchain, combined, ca or crl",
  ),
  mode: plainFileMode.optional(),
  owner: shortName.optional(),
  group: shortName.optional(),
});

const service = z
  .strictObject({
    name: shortName,
    /** Bundles the service uses: names or patterns. */
    bundles: z.array(bundlePattern).min(1, "expected at least one bundle"),
    stage: z
      .int("expected a whole number")
      .min(0, "expected 0 or more")
      .max(100, "expected at most 100")
      .default(1),
    notify,
    verify: verify.optional(),
    /** Plain files at the service's own paths, replaced before it is told. */
    files: z.array(plainFile).default([]),
  })
  .refine(
    ({ files, bundles }) => files.length === 0 || (bundles.length === 1 && !/[*?]/.test(bundles[0] ?? "")),
    {
      error: "expected one bundle by its name, where files are given: two bundles would write the same paths",
      path: ["bundles"],
    },
  );

const extendedKeyUsages = z.array(z.enum(["serverAuth", "clientAuth"], "expected serverAuth or clientAuth"));
const profile = z.enum(["default", "fips"], "expected default or fips");
const subjectNames = z.array(z.string("expected a name").min(1, "expected a name"));

/** What some bundles are checked by, in place of the settings for all. */
const checkRule = z.strictObject({
  bundles: z.array(bundlePattern).min(1, "expected at least one bundle"),
  profile: profile.optional(),
  minRemaining: duration.optional(),
  maxValidity: lifeSpan.optional(),
  allowCriticalOids: z.array(objectIdentifier).optional(),
  /** Subject alternative names the leaf has to cover. */
  requireNames: subjectNames.optional(),
  requireEku: extendedKeyUsages.optional(),
  /** Holds the passphrase of an encrypted private key or PKCS#12 file. */
  passphraseFile: filePath.optional(),
});

const expiry = z.strictObject({
  /** Time left at which a warning is given. */
  warnAt: z.array(lifeSpan).prefault(["30d", "7d", "1d"]),
  /** Share of the lifetime left below which a warning is given; 0 for none. */
  warnBelow: z
    .number("expected a share such as 0.33")
    .min(0)
    .max(1, "expected at most 1")
    .default(1 / 3),
});

/** The whole configuration. */
export const configSchema = z.strictObject({
  node: shortName.default(() => hostname()),
  etcd: etcd.prefault({}),
  output: output.prefault({}),
  bundles: z
    .strictObject({
      include: z.array(bundlePattern).default(["*"]),
      exclude: z.array(bundlePattern).default([]),
    })
    .prefault({}),
  checks: z
    .strictObject({
      profile: profile.default("default"),
      /** A leaf with less left is rejected. */
      minRemaining: duration.prefault("1h"),
      /** A leaf that is valid for longer, from its first moment to its last, is rejected. */
      maxValidity: lifeSpan.optional(),
      /** Critical extensions that are accepted; OpenSSL clients may refuse them all the same. */
      allowCriticalOids: z.array(objectIdentifier).default([]),
      requireEku: extendedKeyUsages.default([]),
      /** Whether a trust bundle that would cut off a certificate that is live here is rejected. */
      trustGuard: z.enum(["on", "off"], "expected on or off").default("on"),
      rules: z.array(checkRule).default([]),
      /** How long parts may take to fit together before that is reported. */
      settle: duration.prefault("2s"),
    })
    .prefault({}),
  queue: z
    .strictObject({
      concurrency: z
        .int("expected a whole number")
        .min(1, "expected at least 1")
        .max(64, "expected at most 64")
        .default(1),
      splay: duration.prefault("0s"),
    })
    .prefault({}),
  services: z
    .array(service)
    .refine((services) => areDistinct(services.map(({ name }) => name)), {
      error: "expected every service to have a name of its own",
    })
    .refine((services) => areDistinct(services.flatMap(({ files }) => files.map(({ path }) => path))), {
      error: "expected every path of files to be given once",
    })
    .default([]),
  expiry: expiry.prefault({}),
  /** Is told of certificates that near their end, so that an issuer can act. */
  renewal: z.strictObject({ http: httpNotify }).optional(),
  admin: z
    .strictObject({
      listen: listenAddress.prefault("127.0.0.1:9464"),
      /** Holds the token that requests which change something have to bring; without it they are refused. */
      tokenFile: filePath.optional(),
    })
    .prefault({}),
  log: z
    .strictObject({
      level: z
        .enum(
          ["trace", "debug", "info", "warn", "error", "fatal"],
          "expected trace, debug, info, warn, error or fatal",
        )
        .default("info"),
      /** `auto`: text on a terminal, JSON elsewhere. */
      format: z.enum(["auto", "json", "text"], "expected auto, json or text").default("auto"),
    })
    .prefault({}),
});

/** A configuration that was checked; durations in milliseconds. */
export type Config = z.output<typeof configSchema>;

/** Settings of a hook: `services[].notify.http` and `renewal.http`. */
export type HttpNotifyConfig = z.output<typeof httpNotify>;

/** One service of it. */
export type ServiceConfig = Config["services"][number];

function areDistinct(texts: readonly string[]): boolean {
  return new Set(texts).size === texts.length;
}
