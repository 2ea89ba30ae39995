/** Settings of what is told and looked at: hooks, services, and their files. */
import { z } from "zod";
import { about } from "./about.ts";
import {
  absolutePath,
  bundlePattern,
  filePath,
  hookUrl,
  plainFileMode,
  positiveDuration,
  serviceAddress,
  shortName,
} from "./values.ts";

/** How an HTTP hook is sent. */
export const httpNotify = z.strictObject({
  url: about("where the hook is sent", hookUrl, { sample: "http://127.0.0.1:8000/-/reload" }),
  method: about("its method", z.enum(["POST", "PUT"], "expected POST or PUT").default("POST")),
  timeout: about("how long one attempt may take", positiveDuration.prefault("5s")),
  attempts: about(
    "how often it is tried. Only 5xx, 429, timeouts and network errors are tried again.",
    z.int("expected a whole number").min(1, "expected at least 1").max(20, "expected at most 20").default(5),
  ),
  secretFile: about(
    "file with the secret that signs it, by Standard Webhooks. One line: `whsec_` and base64. Read anew for each hook.",
    filePath.optional(),
    { sample: "/etc/keyturn/hook-secret" },
  ),
  socketPath: about("unix socket to send it through, in place of the host of `url`", filePath.optional(), {
    sample: "/run/engine/hook.sock",
  }),
});

const PROGRAM_EXPECTED = "expected a program and its arguments, such as [nginx, -s, reload]";

const execNotify = z.strictObject({
  argv: about(
    "program and its arguments; no shell is between",
    z.array(z.string("expected a word"), PROGRAM_EXPECTED).min(1, PROGRAM_EXPECTED),
    { sample: ["nginx", "-s", "reload"] },
  ),
  timeout: about("how long it may run", positiveDuration.prefault("10s")),
});

const signalNotify = z.strictObject({
  pidFile: about("file with the process id", absolutePath, { sample: "/run/nginx.pid" }),
  signal: about(
    "the signal",
    z
      .enum(
        ["SIGHUP", "SIGUSR1", "SIGUSR2", "SIGWINCH", "SIGTERM", "SIGINT"],
        "expected SIGHUP, SIGUSR1, SIGUSR2, SIGWINCH, SIGTERM or SIGINT",
      )
      .default("SIGHUP"),
  ),
  processName: about(
    "name that the process has to have. As `/proc/<pid>/comm` says; guards against a pid file that was left behind.",
    z.string("expected the name of a process").min(1).optional(),
    { sample: "nginx" },
  ),
});

const haproxyNotify = z.strictObject({
  socketPath: about("the runtime socket: `stats socket PATH level admin` of haproxy", absolutePath, {
    sample: "/run/haproxy.sock",
  }),
  certificate: about("the certificate as haproxy knows it: the path of its `crt`", absolutePath.optional(), {
    shownDefault: "the path of the bundle's `tls.pem`",
  }),
  timeout: about("how long the exchange may take", positiveDuration.prefault("5s")),
});

const WAYS = ["http", "exec", "signal", "haproxy", "none"];

const notify = z
  .strictObject({
    http: about("by an HTTP hook", httpNotify.optional()),
    exec: about(
      "by a program. It gets `KEYTURN_BUNDLE`, `KEYTURN_CERT` and other names and paths, nothing secret. " +
        'It exits 75 for "not now" and 69 for "not running".',
      execNotify.optional(),
    ),
    signal: about("by a signal to the process of a pid file", signalNotify.optional()),
    haproxy: about("by haproxy's runtime socket; live connections go on", haproxyNotify.optional()),
    none: about("not at all: the service watches its files itself", z.strictObject({}).optional()),
  })
  .refine((ways) => Object.values(ways).filter((way) => way !== undefined).length === 1, {
    error: `expected exactly one of ${WAYS.join(", ")}`,
  });

const tlsProbe = z.strictObject({
  address: about("where the service serves TLS", serviceAddress, { sample: "127.0.0.1:8443" }),
  protocol: about(
    "tls or postgres. TLS at once, or PostgreSQL's protocol, in which it is asked for.",
    z.enum(["tls", "postgres"], "expected tls or postgres").default("tls"),
  ),
  serverName: about("server name that is asked for", z.string("expected a host name").min(1).optional(), {
    shownDefault: "the first DNS name of the leaf",
    sample: "inference.local",
  }),
  within: about(
    "how long the service may take to serve the new certificate",
    positiveDuration.prefault("10s"),
  ),
  connections: about(
    "sessions in a row that all have to get it. A service may have several workers.",
    z.int("expected a whole number").min(1, "expected at least 1").max(64, "expected at most 64").default(3),
  ),
  clientBundle: about(
    "bundle whose certificate is presented, where the service asks for one",
    shortName.optional(),
    { sample: "mesh" },
  ),
  bundles: about(
    "which of the service's bundles are served there: names or patterns",
    z.array(bundlePattern).min(1, "expected at least one bundle").optional(),
    { shownDefault: "all but `clientBundle`", sample: ["inference"] },
  ),
});

const httpProbe = z.strictObject({
  url: about("what is asked for", hookUrl, { sample: "http://127.0.0.1:8000/health" }),
  expect: about(
    "the status that says it is well",
    z.int("expected a status").min(100, "expected a status").max(599, "expected a status").default(200),
  ),
  within: about("how long it may take until it is", positiveDuration.prefault("10s")),
});

const verify = z
  .strictObject({
    tls: about("TLS handshakes have to get the new certificate", tlsProbe.optional()),
    http: about("a readiness endpoint has to say that the service is well", httpProbe.optional()),
    every: about("how often it is looked at between rotations", positiveDuration.prefault("1m")),
  })
  .refine(({ tls, http }) => tls !== undefined || http !== undefined, {
    error: "expected tls, http or both",
  });

const plainFile = z.strictObject({
  path: about("where it is written", absolutePath, { sample: "/etc/ssl/private/engine.pem" }),
  content: about(
    "what is in it. `fullchain` is `cert` and `chain`; `combined` is key and chain in one, which is never torn.",
    z.enum(
      ["cert", "key", "chain", "fullchain", "combined", "ca", "crl"],
      "expected cert, key, chain, fullchain, combined, ca or crl",
    ),
  ),
  mode: about("its mode", plainFileMode.optional(), {
    shownDefault: "`output.mode` with a private key, else 0644",
    sample: "0640",
  }),
  owner: about("its owner", shortName.optional(), { shownDefault: "`output.owner`" }),
  group: about("its group", shortName.optional(), { shownDefault: "`output.group`" }),
});

/** One local service. */
const service = z
  .strictObject({
    name: about("its name in metrics, logs and status", shortName, { sample: "engine" }),
    bundles: about(
      "bundles the service uses: names or patterns",
      z.array(bundlePattern).min(1, "expected at least one bundle"),
      { sample: ["inference"] },
    ),
    stage: about(
      "when it is told. Stages are told in order, services of one stage side by side.",
      z
        .int("expected a whole number")
        .min(0, "expected 0 or more")
        .max(100, "expected at most 100")
        .default(1),
    ),
    notify: about(`how it is told, by exactly one of ${WAYS.join(", ")}`, notify, {
      minProperties: 1,
      maxProperties: 1,
    }),
    verify: about("how it is looked at: by tls, http or both", verify.optional(), {
      shownDefault: "not at all",
      anyOf: [{ required: ["tls"] }, { required: ["http"] }],
    }),
    files: about(
      "plain files at its own paths. Each is replaced by one rename before the service is told; " +
        "the service then has one bundle, by its name.",
      z.array(plainFile).prefault([]),
    ),
  })
  .refine(
    ({ files, bundles }) => files.length === 0 || (bundles.length === 1 && !/[*?]/.test(bundles[0] ?? "")),
    {
      error: "expected one bundle by its name, where files are given: two bundles would write the same paths",
      path: ["bundles"],
    },
  );

/** All of them. */
export const services = z
  .array(service)
  .refine((all) => areDistinct(all.map(({ name }) => name)), {
    error: "expected every service to have a name of its own",
  })
  .refine((all) => areDistinct(all.flatMap(({ files }) => files.map(({ path }) => path))), {
    error: "expected every path of files to be given once",
  })
  .prefault([]);

function areDistinct(texts: readonly string[]): boolean {
  return new Set(texts).size === texts.length;
}
