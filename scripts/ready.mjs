/**
 * Makes a clone ready and then runs a command: `node scripts/ready.mjs [--FLAG…] COMMAND…`, `--build`, those of `BY_FLAG`,
 * or `--all` of these.
 *
 * Installs the npm packages when they are missing or stale, and finds the programs that are needed beside Node: in the
 * folder that their environment variable names, on the PATH, or unpacked from Debian's packages into .cache. Nothing
 * outside the clone is changed, and no root is needed. Does nothing where nothing is to be done.
 */
import { execFileSync, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { accessSync, constants, existsSync, readFileSync, writeFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";
import { unpackDebian } from "./debian.mjs";

const root = fileURLToPath(new URL("..", import.meta.url));
const cache = join(root, ".cache");

/** Programs that are fetched where they are missing. `needed`: without them the command does not begin. */
const ETCD = {
  programs: ["etcd", "etcdctl"],
  packages: ["etcd-server", "etcd-client"],
  folder: "etcd",
  variable: "KEYTURN_ETCD_BIN",
  needed: true,
};

/** Those that are fetched where a flag asks for them. Tests that need them fail without them, and they alone. */
const BY_FLAG = {
  /** For the tests that turn the certificates of real proxies. */
  "--proxies": {
    programs: ["haproxy", "nginx"],
    packages: ["haproxy", "nginx"],
    folder: "proxies",
    variable: "KEYTURN_PROXIES_BIN",
  },
  /** For the tests that watch system calls or break them off, and those that set a daemon's clock. */
  "--tools": {
    programs: ["strace", "faketime"],
    packages: ["strace", "faketime", "libfaketime"],
    folder: "tools",
    variable: "KEYTURN_TOOLS_BIN",
  },
  /** For the tests of completion and of the man page. */
  "--shells": {
    programs: ["zsh", "fish", "groff"],
    packages: ["zsh", "fish", "groff-base"],
    folder: "shells",
    variable: "KEYTURN_SHELLS_BIN",
  },
  /** For the tests of the status page. */
  "--browser": {
    programs: ["chromium"],
    packages: ["chromium", "fonts-dejavu-core"],
    folder: "browser",
    variable: "KEYTURN_BROWSER_BIN",
  },
  /** For the tests of alerts and of the dashboard. */
  "--prometheus": {
    programs: ["prometheus", "promtool", "prometheus-alertmanager", "amtool"],
    packages: ["prometheus", "prometheus-alertmanager"],
    folder: "prometheus",
    variable: "KEYTURN_PROMETHEUS_BIN",
  },
  /** For the tests of the recipes, beside those of --proxies. */
  "--servers": {
    programs: ["apache2", "caddy", "curl", "initdb", "postgres", "psql", "stunnel4"],
    packages: ["apache2-bin", "caddy", "curl", "postgresql-15", "postgresql-client-15", "stunnel4"],
    folder: "servers",
    variable: "KEYTURN_SERVERS_BIN",
  },
  /** For the tests of the systemd unit: what checks it, and what the daemon tells systemd with. */
  "--systemd": {
    programs: ["systemd-analyze", "systemd-notify"],
    packages: ["systemd", "libsystemd-shared"],
    folder: "systemd",
    variable: "KEYTURN_SYSTEMD_BIN",
  },
};

function installPackages() {
  const stamp = join(root, "node_modules", ".keyturn-lock");
  const wanted = createHash("sha256")
    .update(readFileSync(join(root, "package-lock.json")))
    .digest("hex");
  if (existsSync(stamp) && readFileSync(stamp, "utf8") === wanted) return;
  say("installing the npm packages");
  // Not `npm ci`: it refuses a lock file that lacks packages for other platforms than this one.
  run("npm", ["install", "--no-save", "--include=dev", "--no-audit", "--no-fund", "--loglevel=error"]);
  writeFileSync(stamp, wanted);
}

/** Gives the command the folder of these programs in their variable, unless they are on the PATH or named already. */
function provide({ folder, programs, packages, variable, needed }) {
  if (process.env[variable] || programs.every(isInstalled)) return;
  const home = join(cache, folder);
  const isReady = () => programs.every((program) => isExecutable(join(home, "bin", program)));
  if (!isReady()) {
    say(`fetching ${programs.join(" and ")} from Debian's packages into .cache/${folder}`);
    try {
      unpackDebian(packages, programs, home);
    } catch {
      // apt-get has said why. What counts is whether they are there now: another run may have been faster.
    }
  }
  if (isReady()) {
    process.env[variable] = join(home, "bin");
    return;
  }
  say(`${programs.join(" and ")} are needed: install them, or set ${variable} to their folder.`);
  if (needed) process.exit(1);
}

function isInstalled(program) {
  return process.env.PATH.split(delimiter).some((folder) => isExecutable(join(folder, program)));
}

function isExecutable(path) {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

function run(program, words) {
  execFileSync(program, words, { cwd: root, stdio: ["ignore", 2, 2] });
}

function say(text) {
  console.error(`keyturn: ${text}`);
}

const words = process.argv.slice(2);
const flags = new Set();
while (words[0]?.startsWith("--")) flags.add(words.shift());
const [program, ...rest] = words;
const known = ["--build", "--all", ...Object.keys(BY_FLAG)];
const unknown = [...flags].filter((flag) => !known.includes(flag));
if (unknown.length > 0 || program === undefined) {
  if (unknown.length > 0) say(`there is no ${unknown.join(" or ")}`);
  say(`usage: node scripts/ready.mjs [${known.join("] [")}] COMMAND…`);
  process.exit(2);
}
// Where daemons are; not every user has it on the PATH.
process.env.PATH = [process.env.PATH, "/usr/local/sbin", "/usr/sbin"].filter(Boolean).join(delimiter);
installPackages();
provide(ETCD);
for (const [flag, programs] of Object.entries(BY_FLAG)) {
  if (flags.has(flag) || flags.has("--all")) provide(programs);
}
if (flags.has("--build")) {
  run("node", ["scripts/build.mjs"]);
  // Tests then run what users run.
  process.env.KEYTURN_BUILT_CLI = join(root, "dist", "cli.js");
}

const child = spawn(program, rest, { cwd: root, stdio: "inherit" });
// Ctrl-C reaches the child from the terminal; a signal for this process alone is passed on.
process.on("SIGINT", () => undefined);
process.on("SIGTERM", () => child.kill("SIGTERM"));
child.on("error", (error) => {
  say(error.message);
  process.exit(1);
});
child.on("exit", (code) => process.exit(code ?? 1));
