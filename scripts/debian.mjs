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
  for (const part of ["lists/partial", "archives/partial", "unpacked/usr/bin"]) {
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
    // As on every Debian since 12: bin and usr/bin are one. What is left in bin are the starters.
    run(
      "sh",
      "-c",
      "mkdir -p unpacked/bin unpacked/usr/bin && find unpacked/bin -mindepth 1 -exec mv -t unpacked/usr/bin {} +",
    );
    for (const program of programs) writeStarter(unpacked, program);
    rmSync(folder, { recursive: true, force: true });
    renameSync(unpacked, folder);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

/** Starts the program with the libraries that were unpacked beside it. */
function writeStarter(folder, program) {
  // Where the program has a folder of its own, that in usr/bin is a script that names paths of an installed system.
  const versions = foldersIn(join(folder, "usr/lib/postgresql")).map(
    (name) => `usr/lib/postgresql/${name}/bin`,
  );
  const homes = [`usr/lib/${program}`, ...versions, "usr/bin", "usr/sbin"];
  const home = homes.find((candidate) => isExecutable(join(folder, candidate, program)));
  if (home === undefined) throw new Error(`there is no ${program} in these packages`);
  const libraries = ["lib", "usr/lib"].flatMap((place) =>
    foldersIn(join(folder, place))
      .filter((name) => name.endsWith("-linux-gnu"))
      .flatMap((name) =>
        ["", ...foldersIn(join(folder, place, name))].map((inner) => join(place, name, inner)),
      )
      .filter((path) => readdirSync(join(folder, path)).some((name) => name.includes(".so"))),
  );
  const path = libraries.map((library) => `$here/${library}`).join(":");
  const fonts = existsSync(join(folder, "etc/fonts/fonts.conf"))
    ? ['export FONTCONFIG_PATH="$here/etc/fonts" XDG_DATA_HOME="$here/usr/share"']
    : [];
  const lines = [
    "#!/bin/sh",
    'here=$(dirname "$(dirname "$0")")',
    ...fonts,
    `LD_LIBRARY_PATH="${path}" exec "$here/${home}/${program}" "$@"`,
  ];
  writeFileSync(join(folder, "bin", program), `${lines.join("\n")}\n`);
  chmodSync(join(folder, "bin", program), 0o755);
}

function foldersIn(path) {
  if (!existsSync(path)) return [];
  return readdirSync(path, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => name);
}

function isExecutable(path) {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
