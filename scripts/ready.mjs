/**
 * Makes a clone ready and then runs a command: `node scripts/ready.mjs [--build] COMMAND…`.
 *
 * Installs the npm packages when they are missing or stale, and finds etcd: in KEYTURN_ETCD_BIN, on the PATH, or
 * unpacked from Debian's packages into .cache/etcd. Nothing outside the clone is changed, and no root is needed.
 * Does nothing where nothing is to be done.
 */
import { execFileSync, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import {
  accessSync,
  constants,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const cache = join(root, ".cache");

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

/** The folder of etcd and etcdctl; undefined where they are on the PATH or named already. */
function provideEtcd() {
  if (process.env.KEYTURN_ETCD_BIN) return undefined;
  const path = (process.env.PATH ?? "").split(delimiter);
  if (["etcd", "etcdctl"].every((program) => path.some((folder) => isExecutable(join(folder, program))))) {
    return undefined;
  }
  const folder = join(cache, "etcd", "usr", "bin");
  if (!isExecutable(join(folder, "etcdctl"))) unpackEtcd();
  return folder;
}

/** Debian's packages, downloaded and unpacked with a package index of our own: nothing is installed. */
function unpackEtcd() {
  say("fetching etcd from Debian's packages into .cache/etcd");
  const work = join(cache, "apt");
  for (const folder of ["lists/partial", "archives/partial", "etcd"])
    mkdirSync(join(work, folder), { recursive: true });
  const options = [
    `Dir::State::Lists=${work}/lists`,
    `Dir::Cache=${work}`,
    "APT::Sandbox::User=root",
    "Debug::NoLocking=1",
  ];
  const apt = (...words) =>
    run("apt-get", ["-qq", ...options.flatMap((option) => ["-o", option]), ...words], work);
  try {
    apt("update");
    apt("download", "etcd-server", "etcd-client");
    run("sh", ["-c", 'for deb in *.deb; do dpkg-deb -x "$deb" etcd; done'], work);
    rmSync(join(cache, "etcd"), { recursive: true, force: true });
    renameSync(join(work, "etcd"), join(cache, "etcd"));
  } catch {
    console.error(
      "keyturn: etcd and etcdctl 3.4 or later are needed: install them, or set KEYTURN_ETCD_BIN to their folder.",
    );
    process.exit(1);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

function isExecutable(path) {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

function run(program, words, cwd = root) {
  execFileSync(program, words, { cwd, stdio: ["ignore", 2, 2] });
}

function say(text) {
  console.error(`keyturn: ${text}`);
}

const words = process.argv.slice(2);
const build = words[0] === "--build";
const [program, ...rest] = build ? words.slice(1) : words;
installPackages();
const etcd = provideEtcd();
if (build) run("node", ["scripts/build.mjs"]);

const env = { ...process.env, ...(etcd && { KEYTURN_ETCD_BIN: etcd }) };
const child = spawn(program, rest, { cwd: root, stdio: "inherit", env });
// Ctrl-C reaches the child from the terminal; a signal for this process alone is passed on.
process.on("SIGINT", () => undefined);
process.on("SIGTERM", () => child.kill("SIGTERM"));
child.on("error", (error) => {
  say(error.message);
  process.exit(1);
});
child.on("exit", (code) => process.exit(code ?? 1));
