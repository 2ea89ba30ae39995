/** `keyturn status`: what the daemon of this node knows, asked over its admin address. */
import { KeyturnError, messageOf } from "../core/errors.ts";
import type { BundleStatus, Status } from "../observe/status.ts";
import { type ConfigOptions, loadCommandConfig } from "./config-file.ts";
import { print } from "./print.ts";

const TIMEOUT_MS = 5_000;

/** Exit code 0 where the node is ready, 1 where it is not. */
export async function showStatus(options: ConfigOptions & { readonly json?: boolean }): Promise<number> {
  const { admin } = await loadCommandConfig(options);
  const host =
    admin.listen.host === "0.0.0.0" || admin.listen.host === "::" ? "127.0.0.1" : admin.listen.host;
  const url = `http://${host.includes(":") ? `[${host}]` : host}:${admin.listen.port}/status`;
  const status = await fetchStatus(url);
  print(options.json ? JSON.stringify(status, null, 2) : describe(status, Date.now()));
  return status.ready ? 0 : 1;
}

async function fetchStatus(url: string): Promise<Status> {
  try {
    const answer = await fetch(url, { signal: AbortSignal.timeout(TIMEOUT_MS) });
    return (await answer.json()) as Status;
  } catch (cause) {
    const hint = "is keyturn running, and is admin.listen the same here and there?";
    throw new KeyturnError(
      "DAEMON_UNREACHABLE",
      `no daemon answers on ${url}: ${messageOf(cause)}; ${hint}`,
      { cause },
    );
  }
}

function describe(status: Status, now: number): string {
  const { node, version, ready, notReady, etcd, bundles, services, ignoredKeys } = status;
  const link = etcd.connected
    ? `connected to ${etcd.endpoint}`
    : `not connected: ${etcd.problem?.message ?? "not yet"}`;
  const lines = [
    `${node}: keyturn ${version}, ${ready ? "ready" : `not ready: ${notReady.join("; ")}`}`,
    `etcd: ${link}, revision ${etcd.revision}${ignoredKeys > 0 ? `, ${ignoredKeys} keys ignored` : ""}`,
    "",
    ...table(
      ["BUNDLE", "STATE", "GENERATION", "REVISION", "EXPIRES", "NAMES"],
      bundles.map((bundle) => bundleRow(bundle, now)),
    ),
    ...bundles.flatMap(({ name, problems }) =>
      problems.map(({ code, message }) => `  ${name}: ${code}: ${message}`),
    ),
    ...bundles.flatMap(({ name, lastReload }) =>
      lastReload?.message ? [`  ${name}: ${lastReload.outcome}: ${lastReload.message}`] : [],
    ),
  ];
  if (services.length === 0) return lines.join("\n");
  const rows = services.map(({ name, bundle, result, at }) => [name, bundle, result, at]);
  return [...lines, "", ...table(["SERVICE", "BUNDLE", "LAST HOOK", "AT"], rows)].join("\n");
}

function bundleRow({ name, state, generation, overdue }: BundleStatus, now: number): string[] {
  const leaf = generation?.leaf;
  const days = leaf ? `${((Date.parse(leaf.notAfter) - now) / 86_400_000).toFixed(1)} d` : "-";
  const names = leaf ? [...leaf.dnsNames, ...leaf.ipAddresses, ...leaf.uris].join(",") : "-";
  const revision = String(generation?.revision ?? "-");
  return [name, overdue ? `${state} (overdue)` : state, generation?.id ?? "-", revision, days, names];
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const widths = head.map((title, column) =>
    Math.max(title.length, ...rows.map((row) => row[column]?.length ?? 0)),
  );
  return [head, ...rows].map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join("  ")
      .trimEnd(),
  );
}
