/** Who takes part, how each is started, and what each does. */
import { mkdirSync, writeFileSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { begin, beginProgram, type Contender } from "./contender.ts";
import { configureKeyturn } from "./keyturn.ts";
import { findProgram } from "./machine.ts";
import { floorVerified, keyturnVerified } from "./verified.ts";

const WATCH_SCRIPT = fileURLToPath(import.meta.resolve("./etcdctl-watch.sh"));

const keyturn: Contender = {
  name: "keyturn",
  isOurs: true,
  label: "keyturn",
  what: "default configuration: all of its checks, among them a handshake in another process; four files and a manifest in a new generation, these and their folders fsynced; signed hook",
  start: async (stand, url) => {
    const { start, outputDir, log } = await configureKeyturn(stand, "keyturn", "/bench/keyturn/", url);
    const file = join(outputDir, "inference", "tls.crt");
    return { children: [start()], key: "/bench/keyturn/inference.pem", file, tlsPort: null, log };
  },
};

const floor: Contender = {
  name: "floor",
  label: "floor",
  what: "the least a program in Node has to do: raw watch, one file written, fsynced, renamed, its folder fsynced, POST; no checks",
  start: async (stand, url) => {
    const [key, dir] = ["/bench/floor/inference.pem", stand.folder("floor")];
    const file = join(dir, "tls.pem");
    const words = [stand.etcd.endpoint, key, file, url];
    return { children: [beginProgram(stand, "floor", words, dir)], key, file, tlsPort: null, log: null };
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
    const child = begin(stand, [program, ...words], dir, env);
    return { children: [child], key: `${prefix}inference.pem`, file, tlsPort: null, log: null };
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
    const child = begin(stand, [CONFD ?? "confd", ...words], dir);
    return { children: [child], key, file, tlsPort: null, log: null };
  },
};

/** In the order of the table: the floor first, and last those that verify. */
export const CONTENDERS: readonly Contender[] = [
  floor,
  keyturn,
  confd,
  etcdctl,
  floorVerified,
  keyturnVerified,
];
