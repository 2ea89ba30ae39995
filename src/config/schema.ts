/** Every setting, with its default: the one place that says what `keyturn.yaml` may hold. */
import { hostname } from "node:os";
import { z } from "zod";
import {
  bundlePattern,
  duration,
  endpoint,
  fileMode,
  filePath,
  hookUrl,
  listenAddress,
  positiveDuration,
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

const service = z.strictObject({
  name: shortName,
  /** Bundles the service uses: names or patterns. */
  bundles: z.array(bundlePattern).min(1, "expected at least one bundle"),
  stage: z
    .int("expected a whole number")
    .min(0, "expected 0 or more")
    .max(100, "expected at most 100")
    .default(1),
  notify: z
    .strictObject({ http: httpNotify.optional(), none: z.strictObject({}).optional() })
    .refine(({ http, none }) => (http === undefined) !== (none === undefined), {
      error: "expected exactly one of http, none",
    }),
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
    .refine((services) => new Set(services.map(({ name }) => name)).size === services.length, {
      error: "expected every service to have a name of its own",
    })
    .default([]),
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

/** One service of it. */
export type ServiceConfig = Config["services"][number];
