/** `keyturn inspect`: a bundle as a person wants to see it, and every check that it has to pass before it is written. */
import type { Config } from "../config/schema.ts";
import { KeyturnError } from "../core/errors.ts";
import { gatherMaterial, isAbsent, readMaterial, readTogether } from "../core/material.ts";
import { type BundleName, keysOf } from "../core/names.ts";
import { parseBundleName } from "./bundle-name.ts";
import { type ConfigOptions, loadCommandConfig } from "./config-file.ts";
import { hintsOn, inspectBundle, type Subject, withPassphrase } from "./inspect-bundle.ts";
import { type GivenFile, partByName, readGiven } from "./inspect-files.ts";
import { type InspectReport, reportOf } from "./inspect-report.ts";
import { describeInspection } from "./inspect-text.ts";
import { print, printJson } from "./print.ts";
import { styleOf } from "./style.ts";

/** What is typed. */
export interface InspectOptions extends ConfigOptions {
  /** A bundle of etcd, in place of files. */
  readonly name?: string | undefined;
  /** Checks by the rules for this name. */
  readonly as?: string | undefined;
  readonly passphraseFile?: string | undefined;
  readonly json?: boolean;
}

/** By whose rules files are checked where no name is given. */
const NAMELESS = "inspected";

/** Exit code 0 where every check passes, 1 where one does not. */
export async function inspect(files: readonly string[], options: InspectOptions): Promise<number> {
  const config = await loadCommandConfig(options);
  const { passphraseFile } = options;
  const checks = passphraseFile === undefined ? config.checks : withPassphrase(config.checks, passphraseFile);
  const signal = new AbortController().signal;
  const { subject, from } = await findSubject(files, options, config, signal);
  const report = reportOf(await inspectBundle(subject, checks, signal), from);
  if (options.json) printJson(report);
  else print([...describeReport(report), ...hintsOn(report.problems, passphraseFile)].join("\n"));
  return report.ok ? 0 : 1;
}

function describeReport(report: InspectReport): string[] {
  return describeInspection(report, styleOf(process.stdout.isTTY === true, process.env));
}

interface Found {
  readonly subject: Subject;
  readonly from: readonly string[];
}

async function findSubject(
  files: readonly string[],
  { name, as }: InspectOptions,
  config: Config,
  signal: AbortSignal,
): Promise<Found> {
  if (files.length > 0 === (name !== undefined)) {
    const message =
      "give files, or --name for a bundle in etcd (--as NAME checks files by the rules for a name)";
    throw new KeyturnError("USAGE", message);
  }
  if (name === undefined) return fromFiles(files, parseBundleName(as ?? NAMELESS));
  return fromEtcd(parseBundleName(name), parseBundleName(as ?? name), config, signal);
}

async function fromFiles(paths: readonly string[], name: BundleName): Promise<Found> {
  const given: GivenFile[] = [];
  // One after another: several may be one pipe.
  for (const path of paths) given.push(await readGiven(path, partByName));
  if (given.length > 1 && given.some(({ part }) => part === "pkcs12")) {
    throw new KeyturnError("USAGE", "a PKCS#12 file is a whole bundle: inspect it by itself");
  }
  const meta = given.find(({ part }) => part === "meta.json")?.entry;
  const parts = given.filter(({ part }) => part !== "meta.json");
  if (parts.length === 0) throw new KeyturnError("USAGE", "a meta.json is no bundle: give its files too");
  return { subject: { name, read: readTogether({ name, parts, revision: 0 }), meta }, from: paths };
}

async function fromEtcd(
  name: BundleName,
  as: BundleName,
  { etcd }: Config,
  signal: AbortSignal,
): Promise<Found> {
  // Loaded only here: files need no etcd.
  const { openKeys } = await import("../source/put.ts");
  const keys = keysOf(etcd.prefix, name).map(({ key }) => key);
  const { entries } = await openKeys(etcd).read(keys, signal);
  const material = gatherMaterial(etcd.prefix, name, entries);
  if (isAbsent(material)) {
    const message = `etcd holds no bundle ${name} under ${etcd.prefix}; look at etcd.prefix, or put it`;
    throw new KeyturnError("BUNDLE_UNKNOWN", message);
  }
  const meta = material.parts.find(({ part }) => part === "meta.json")?.entry;
  const subject = { name: as, read: readMaterial({ ...material, name: as }), meta };
  return { subject, from: material.parts.map(({ entry }) => entry.key) };
}
