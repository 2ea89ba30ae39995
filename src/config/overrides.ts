/** Settings that can also come from the environment or the command line: the same table gives both their names. */

/** One setting that a flag or a variable may override. */
export interface Override {
  readonly path: readonly string[];
  /** `--etcd-endpoints`. */
  readonly flag: string;
  /** `KEYTURN_ETCD_ENDPOINTS`. */
  readonly variable: string;
  /** Several values, separated by commas. */
  readonly isList: boolean;
  readonly isNumber: boolean;
  readonly help: string;
}

/** Everything but lists of structures, thresholds and `renewal`, which belong in the file. */
export const OVERRIDES: readonly Override[] = [
  define("node", "name of this node in hooks and metrics"),
  define("etcd.endpoints", "etcd endpoints, separated by commas", { isList: true }),
  define("etcd.prefix", "prefix of the keys"),
  define("etcd.tls.caFile", "CA that etcd's certificate is checked against"),
  define("etcd.tls.certFile", "client certificate for etcd"),
  define("etcd.tls.keyFile", "its private key"),
  define("etcd.username", "etcd user"),
  define("etcd.passwordFile", "file with the password of the etcd user"),
  define("etcd.resyncEvery", "how often the prefix is listed and compared"),
  define("output.dir", "folder the bundles are written to"),
  define("output.keep", "previous generations that stay", { isNumber: true }),
  define("output.mode", "mode of files that hold a private key"),
  define("output.owner", "owner of the files"),
  define("output.group", "group of the files"),
  define("output.auditEvery", "how often files are compared with what they were written as"),
  define("output.onDelete", "keep or remove what was deleted in etcd"),
  define("bundles.include", "bundles this node takes, separated by commas", { isList: true }),
  define("bundles.exclude", "bundles this node does not take", { isList: true }),
  define("checks.profile", "default or fips"),
  define("checks.minRemaining", "a leaf with less time left is rejected"),
  define("checks.maxValidity", "a leaf that is valid for longer is rejected"),
  define("checks.allowCriticalOids", "critical extensions that are accepted, separated by commas", {
    isList: true,
  }),
  define("checks.requireEku", "uses every leaf has to have, separated by commas", { isList: true }),
  define("checks.trustGuard", "on: a trust bundle that cuts off a live certificate is rejected"),
  define("checks.settle", "how long parts may take to fit together"),
  define("queue.concurrency", "bundles reloaded at the same time", { isNumber: true }),
  define("queue.splay", "longest random wait before a reload"),
  define("admin.listen", "address of metrics, health and status"),
  define("admin.tokenFile", "file with the token of the admin endpoints"),
  define("log.level", "trace, debug, info, warn, error or fatal"),
  define("log.format", "auto, json or text"),
];

function define(dotted: string, help: string, kind: { isList?: boolean; isNumber?: boolean } = {}): Override {
  const path = dotted.split(".");
  const words = path.flatMap((part) =>
    part.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`).split(" "),
  );
  return {
    path,
    flag: `--${words.join("-")}`,
    variable: `KEYTURN_${words.join("_").toUpperCase()}`,
    isList: kind.isList ?? false,
    isNumber: kind.isNumber ?? false,
    help,
  };
}

/** A value of the environment or the command line, as the file would have it. */
export function parseOverride({ isList, isNumber }: Override, text: string): unknown {
  if (isList) return text.split(",").map((item) => item.trim());
  return isNumber && /^\d+$/.test(text) ? Number(text) : text;
}
