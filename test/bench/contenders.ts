/** Who takes part in put → hook, how each is started, and what each does. */
import { mkdirSync, writeFileSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { type Child, startChild } from "./child.ts";
import { configureKeyturn } from "./keyturn.ts";
import { findProgram } from "./machine.ts";
import type { Stand } from "./stand.ts";

/** One that takes part. */
export interface Contender {
  readonly name: string;
  /** For the table. */
  readonly label: string;
  /** What it does, for who reads the table. */
  readonly what: string;
  /** Why it cannot be measured here, if so. */
  readonly missing?: string;
  readonly start: (stand: Stand, url: string) => Promise<Started>;
}

/** A contender that runs. */
export interface Started {
  readonly child: Child;
  /** The key it follows; nobody else does. */
  readonly key: string;
  /** Where the certificate has to be when the hook arrives. */
  readonly file: string;
}

const FLOOR = fileURLToPath(import.meta.resolve("./floor.ts"));
const WATCH_SCRIPT = fileURLToPath(import.meta.resolve("./etcdctl-watch.sh"));

const keyturn: Contender = {
  name: "keyturn",
  label: "keyturn",
  what: "default configuration: all of its checks, four files and a manifest in a new generation, these and their folders fsynced, signed hook",
  start: async (stand, url) => {
    const configured = await configureKeyturn(stand, "keyturn", "/bench/keyturn/", url);
    const file = join(configured.outputDir, "inference", "tls.crt");
    return { child: configured.start(), key: "/bench/keyturn/inference.pem", file };
  },
};

const floor: Contender = {
  name: "floor",
  label: "floor",
  what: "the least a program in Node has to do: raw watch, one file written, fsynced, renamed, its folder fsynced, POST; no checks",
  start: async (stand, url) => {
    const [key, dir] = ["/bench/floor/inference.pem", stand.folder("floor")];
    const file = join(dir, "tls.pem");
    const words = ["--import", "tsx", FLOOR, stand.etcd.endpoint, key, file, url];
    return { child: begin(stand, [process.execPath, ...words], dir), key, file };
  },
};

const http = findProgram("curl") ?? findProgram("wget");

const etcdctl: Contender = {
  name: "etcdctl",
  label: "etcdctl watch -- sh",
  what: "`etcdctl watch --prefix -- sh etcdctl-watch.sh`: get to a temporary file, sync, mv, curl; no checks",
  ...(http === undefined ? { missing: "neither curl nor wget is installed" } : {}),
  start: async (stand, url) => {
    const { endpoint, etcdctl: program } = stand.etcd;
    const [prefix, dir] = ["/bench/etcdctl/", stand.folder("etcdctl")];
    const file = join(dir, "tls.pem");
    const words = ["watch", "--prefix", prefix, "--", "sh", WATCH_SCRIPT, file, url];
    const PATH = `${dirname(program)}${delimiter}${process.env.PATH ?? ""}`;
    const env = { ETCDCTL_API: "3", ETCDCTL_ENDPOINTS: endpoint, PATH };
    return { child: begin(stand, [program, ...words], dir, env), key: `${prefix}inference.pem`, file };
  },
};

const { CONFD } = process.env;

const confd: Contender = {
  name: "confd",
  label: "confd",
  what: "`confd -backend etcdv3 -watch` with a template and `reload_cmd`: rename without fsync, no checks",
  ...(CONFD ? {} : { missing: "CONFD is not set (the path of a confd binary)" }),
  ...(CONFD && http === undefined ? { missing: "neither curl nor wget is installed" } : {}),
  start: async (stand, url) => {
    const [key, dir] = ["/bench/confd/inference.pem", stand.folder("confd")];
    const file = join(dir, "tls.pem");
    const tell = http?.endsWith("curl")
      ? `${http} -fsS -o /dev/null -X POST ${url}`
      : `${http} -qO /dev/null --post-data= ${url}`;
    const settings = { src: "tls.tmpl", dest: file, keys: [key], mode: "0600", reload_cmd: tell };
    // A TOML string or list of strings is written as in JSON.
    const lines = Object.entries(settings).map(([name, value]) => `${name} = ${JSON.stringify(value)}`);
    for (const folder of ["conf.d", "templates"]) mkdirSync(join(dir, folder));
    writeFileSync(join(dir, "conf.d", "tls.toml"), `[template]\n${lines.join("\n")}\n`);
    writeFileSync(join(dir, "templates", "tls.tmpl"), `{{getv "${key}"}}`);
    const words = ["-backend", "etcdv3", "-node", stand.etcd.endpoint, "-watch", "-confdir", dir];
    return { child: begin(stand, [CONFD ?? "confd", ...words], dir), key, file };
  },
};

/** In the order of the table: the floor first. */
export const CONTENDERS: readonly Contender[] = [floor, keyturn, confd, etcdctl];

function begin(
  { closes }: Stand,
  argv: readonly [string, ...string[]],
  dir: string,
  env?: NodeJS.ProcessEnv,
): Child {
  const child = startChild(argv, join(dir, "log"), env);
  closes.push(() => child.stop());
  return child;
}
