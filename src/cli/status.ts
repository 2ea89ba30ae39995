/** `keyturn status`: what the daemon of this node knows, asked over its admin address. */
import type { BundleStatus, Status } from "../observe/status.ts";
import { systemClock } from "../runtime/clock.ts";
import { askDaemon, explainRefusal } from "./admin-client.ts";
import { type ConfigOptions, loadCommandConfig } from "./config-file.ts";
import { print } from "./print.ts";
import { plain, table } from "./table.ts";

const TIMEOUT_MS = 5_000;

/** Exit code 0 where the node is ready, 1 where it is not. */
export async function showStatus(options: ConfigOptions & { readonly json?: boolean }): Promise<number> {
  const { admin } = await loadCommandConfig(options);
  const reply = await askDaemon(admin, { method: "GET", path: "/status", timeoutMs: TIMEOUT_MS });
  if (reply.kind === "refused") {
    explainRefusal(reply, admin, options.json);
    return 1;
  }
  const status = reply.body as Status;
  print(options.json ? JSON.stringify(status, null, 2) : describeStatus(status, systemClock.now()));
  return status.ready ? 0 : 1;
}

/** The status for a person. */
export function describeStatus(status: Status, now: Date): string {
  const { node, version, ready, notReady, etcd, bundles, services, ignoredKeys } = status;
  const link = etcd.connected
    ? `connected to ${etcd.endpoint}`
    : `not connected: ${etcd.problem?.message ?? "not yet"}`;
  const lines = [
    plain(`${node}: keyturn ${version}, ${ready ? "ready" : `not ready: ${notReady.join("; ")}`}`),
    plain(
      `etcd: ${link}, revision ${etcd.revision}${ignoredKeys > 0 ? `, ${ignoredKeys} keys ignored` : ""}`,
    ),
    "",
    ...table(
      ["BUNDLE", "STATE", "GENERATION", "REVISION", "EXPIRES", "NAMES"],
      bundles.map((bundle) => bundleRow(bundle, now)),
    ),
    ...bundles.flatMap((bundle) => notesOf(bundle).map((note) => `  ${bundle.name}: ${plain(note)}`)),
  ];
  if (services.length === 0) return lines.join("\n");
  const rows = services.map(({ name, bundle, result, at }) => [name, bundle, result, at]);
  return [...lines, "", ...table(["SERVICE", "BUNDLE", "LAST HOOK", "AT"], rows)].join("\n");
}

function bundleRow({ name, state, generation, overdue }: BundleStatus, now: Date): string[] {
  const leaf = generation?.leaf;
  const days = leaf ? `${((Date.parse(leaf.notAfter) - now.getTime()) / 86_400_000).toFixed(1)} d` : "-";
  const names = leaf ? [...leaf.dnsNames, ...leaf.ipAddresses, ...leaf.uris].join(",") : "-";
  const revision = String(generation?.revision ?? "-");
  return [name, overdue ? `${state} (overdue)` : state, generation?.id ?? "-", revision, days, names];
}

/** What needs somebody's eye. */
function notesOf({
  name,
  problems,
  lastReload,
  quarantine,
  served,
  drift,
  expiring,
}: BundleStatus): string[] {
  const notes = problems.map(({ code, message }) => `${code}: ${message}`);
  if (quarantine !== null) {
    const what = `${quarantine.digest.slice(0, "sha256:".length + 12)} is in quarantine: ${quarantine.why}`;
    notes.push(`${what}; put other content, or try it again: keyturn retry ${name}`);
  }
  // Why content is in quarantine was said with it.
  if (lastReload?.message && lastReload.message !== quarantine?.why) {
    notes.push(`${lastReload.outcome}: ${lastReload.message}`);
  }
  for (const { service, matches, reason, message } of served) {
    if (!matches) notes.push(`${service} does not serve it (${reason}): ${message}`);
  }
  if (drift !== null && drift.failure !== null) {
    notes.push(`files are not as they were written (${drift.findings.join("; ")}): ${drift.failure}`);
  }
  if (expiring !== null) {
    notes.push(expiring.threshold === "0s" ? "has expired" : `nears its end (${expiring.threshold})`);
  }
  return notes;
}
