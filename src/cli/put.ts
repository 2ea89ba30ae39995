/**
 * `keyturn put`: files that make a good bundle go into etcd by one transaction; others do not.
 *
 *     read files ─► check ─► read etcd ─► plan ─► one transaction, where the keys still are as they were read
 */
import type { Config } from "../config/schema.ts";
import { matchesAny } from "../core/glob.ts";
import { readTogether } from "../core/material.ts";
import { type BundleName, isWholeBundle, keysOf } from "../core/names.ts";
import { openKeys } from "../source/put.ts";
import type { Changed } from "../source/transaction.ts";
import { parseBundleName } from "./bundle-name.ts";
import { type ConfigOptions, loadCommandConfig } from "./config-file.ts";
import { hintsOn, type Inspection, inspectBundle, withPassphrase } from "./inspect-bundle.ts";
import { reportOf } from "./inspect-report.ts";
import { print, printError, printJson } from "./print.ts";
import { type Given, type PutFiles, readPutFiles } from "./put-given.ts";
import { lookAtHeld } from "./put-held.ts";
import { type Consent, type Offer, planPut } from "./put-plan.ts";
import { describePut, explainPut, type PutReport } from "./put-report.ts";

/** What is typed. */
export interface PutOptions extends ConfigOptions, PutFiles, Partial<Consent> {
  readonly passphraseFile?: string | undefined;
  readonly dryRun?: boolean;
  readonly json?: boolean;
}

/** Exit code 0 where etcd holds it now, or would; 1 where it was not put. */
export async function put(text: string, options: PutOptions): Promise<number> {
  const name = parseBundleName(text);
  const config = await loadCommandConfig(options);
  const given = await readPutFiles(config.etcd.prefix, name, options);
  for (const warning of given.warnings) printError(`keyturn: warning: ${warning}`);
  const report = await putGiven(given, config, options);
  if (options.json) printJson(report);
  else if (report.ok) print(describePut(report));
  if (!report.ok) {
    printError([explainPut(report), ...hintsOn(report.problems, options.passphraseFile)].join("\n"));
  }
  return report.ok ? 0 : 1;
}

async function putGiven(given: Given, config: Config, options: PutOptions): Promise<PutReport> {
  const { material, meta, warnings } = given;
  const { name } = material;
  const { etcd } = config;
  const { passphraseFile } = options;
  const checks = passphraseFile === undefined ? config.checks : withPassphrase(config.checks, passphraseFile);
  const { signal } = new AbortController();

  // 1. What is put is good: by the same checks, and the same rules, as on a node.
  const inspection = await inspectBundle({ name, read: readTogether(material), meta }, checks, signal);
  const { digest, leaf, problems } = reportOf(inspection, []);
  const report: PutReport = {
    ...{ ok: false, outcome: "rejected", name, revision: null, digest, leaf, keys: [], deleted: [] },
    ...{ problems, warnings, error: null, next: null },
  };
  const offer = offerOf(inspection, given);
  if (offer === null || problems.length > 0) return report;

  // 2. What it replaces.
  const keys = keysOf(etcd.prefix, name).map(({ key }) => key);
  const store = openKeys(etcd);
  const { entries } = await store.read(keys, signal);
  const plan = planPut(
    keys,
    offer,
    await lookAtHeld(etcd.prefix, name, entries, checks, signal),
    consentOf(options),
  );
  if (plan.kind === "refused") {
    const { code, message } = plan;
    return { ...report, outcome: "refused", error: { code, message } };
  }
  if (plan.kind === "unchanged") {
    const { revision, keys } = plan;
    return { ...report, ok: true, outcome: "unchanged", revision, keys };
  }

  // 3. All of it, or nothing.
  const { puts, deletes: deleted } = plan.change;
  const done = { ...report, ok: true, keys: [...puts.keys()], deleted, next: nextOf(name, config, options) };
  if (options.dryRun) return { ...done, outcome: "wouldPut" };
  const changed = await store.change(plan.change, signal);
  if (changed.kind === "written") return { ...done, outcome: "put", revision: changed.revision };
  return { ...report, outcome: "refused", error: errorOf(changed, name) };
}

/** Null where what is given could not be read. */
function offerOf({ contents, pieces }: Inspection, { material, values }: Given): Offer | null {
  if (contents === null || pieces === null) return null;
  const { chain, anchors, crls } = pieces.facts;
  return {
    digest: contents.digest,
    values,
    hasLeaf: chain !== null,
    hasAnchors: anchors.length > 0,
    hasCrls: crls.length > 0,
    isWhole: material.parts.some(({ part }) => isWholeBundle(part)),
  };
}

function consentOf({ withoutCa = false, withoutCrl = false, force = false }: PutOptions): Consent {
  return { withoutCa, withoutCrl, force };
}

function nextOf(name: BundleName, { bundles }: Config, { passphraseFile }: PutOptions): string {
  const isTaken = matchesAny(name, bundles.include) && !matchesAny(name, bundles.exclude);
  const who = isTaken
    ? `every node that takes ${name}`
    : `not nodes with this configuration, which leaves ${name} out; any other`;
  const opened =
    passphraseFile === undefined ? "" : ", opens it by the passphraseFile of its own checks.rules";
  return `${who} checks it again${opened}, writes it to its disk, tells its services and looks at what they serve (there: keyturn status)`;
}

function errorOf(changed: Exclude<Changed, { readonly kind: "written" }>, name: BundleName) {
  if (changed.kind === "conflict") {
    const what = changed.keys.join(", ");
    const message = `somebody else changed ${name} meanwhile (${what}), so nothing was written; look at it (keyturn inspect --name ${name}), and put again`;
    return { code: "CHANGED_MEANWHILE", message };
  }
  const message = `this is over a limit of etcd (${changed.words}), so nothing was written; put fewer certificates, or have the limits of etcd raised`;
  return { code: "OVER_A_LIMIT", message };
}
