/** Programs out of Debian's packages, for a machine that has not installed them: nothing is installed, no root is needed. */
import { execFileSync } from "node:child_process";
import {
  accessSync,
  chmodSync,
  constants,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";

/**
 * Downloads the packages, and the libraries of theirs that this machine lacks, with a package index of our own, and
 * unpacks them as `folder`: `bin/PROGRAM` is how each program is called.
 */
export function unpackDebian(packages, programs, folder) {
  mkdirSync(dirname(folder), { recursive: true });
  const work = mkdtempSync(`${folder}-`);
  const unpacked = join(work, "unpacked");
  for (const part of ["lists/partial", "archives/partial", "unpacked/bin"]) {
    mkdirSync(join(work, part), { recursive: true });
  }
  const run = (program, ...words) => {
    execFileSync(program, words, { cwd: work, stdio: ["ignore", 2, 2] });
  };
  const options = [
    `Dir::State::Lists=${work}/lists`,
    `Dir::Cache=${work}`,
    "APT::Sandbox::User=root",
    "Debug::NoLocking=1",
  ].flatMap((option) => ["-o", option]);
  const only = ["--yes", "--download-only", "--reinstall", "--no-install-recommends"];
  try {
    run("apt-get", "-qq", ...options, "update");
    run("apt-get", "-qq", ...options, ...only, "install", ...packages);
    run("sh", "-c", 'for deb in archives/*.deb; do dpkg-deb -x "$deb" unpacked; done');
    for (const program of programs) writeStarter(unpacked, program);
    rmSync(folder, { recursive: true, force: true });
    renameSync(unpacked, folder);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

/** Starts the program with the libraries that were unpacked beside it. */
function writeStarter(folder, program) {
  const home = ["usr/bin", "usr/sbin"].find((candidate) => isExecutable(join(folder, candidate, program)));
  if (home === undefined) throw new Error(`there is no ${program} in these packages`);
  const libraries = ["lib", "usr/lib"]
    .filter((place) => existsSync(join(folder, place)))
    .flatMap((place) => readdirSync(join(folder, place)).map((name) => `$here/${place}/${name}`))
    .filter((path) => path.includes("-linux-gnu"));
  const lines = [
    "#!/bin/sh",
    'here=$(dirname "$(dirname "$0")")',
    `LD_LIBRARY_PATH="${libraries.join(":")}" exec "$here/${home}/${program}" "$@"`,
  ];
  writeFileSync(join(folder, "bin", program), `${lines.join("\n")}\n`);
  chmodSync(join(folder, "bin", program), 0o755);
}

function isExecutable(path) {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
