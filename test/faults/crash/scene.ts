/** One node with its service and its keys in a shared etcd, and the daemon on it: to be killed, or to come to an end. */
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { readdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { TestContext } from "node:test";
import {
  type DaemonSettings,
  followLog,
  type LogLine,
  spawnKeyturn,
  writeConfig,
} from "../../support/daemon.ts";
import type { TestEtcd } from "../../support/etcd.ts";
import { useFolder } from "../../support/folder.ts";
import type { KillOrder } from "../../support/kill-at.ts";
import type { BundlePems } from "../../support/pki.ts";
import { tracedTo } from "../../support/strace.ts";
import { type Contents, NAME, type Operation, prepareNode } from "./operations.ts";
import { type ServiceUnderTest, useServiceUnderTest } from "./service.ts";

/** Everything of one node. */
export interface Scene {
  readonly folder: string;
  /** The bundle's folder. */
  readonly dir: string;
  /** Files at the service's own paths: key with certificate, and what is trusted. */
  readonly ownFiles: { readonly pem: string; readonly ca: string };
  readonly service: ServiceUnderTest;
  readonly settings: DaemonSettings;
  readonly setOff: () => Promise<void>;
}

/** What all scenes of a test share. */
export interface Bench {
  readonly etcd: TestEtcd;
  readonly contents: Contents;
}

let scenes = 0;

/** A daemon that is seen through its log. */
export interface WatchedDaemon {
  readonly process: ChildProcess;
  readonly log: readonly LogLine[];
  /** Its exit code, or the signal that ended it. */
  readonly ended: Promise<number | NodeJS.Signals>;
}

const KILL_AT = new URL("../../support/kill-at.ts", import.meta.url);

/** Sets it up; nothing of it is left when the test is over. */
export async function useScene(
  t: TestContext,
  { etcd, contents }: Bench,
  operation: Operation,
): Promise<Scene> {
  const folder = await useFolder(t);
  const dir = join(folder, "output", NAME);
  const { inEtcd, before, refused } = operation;
  const prefix = `/${++scenes}/`;
  const key = prefix + NAME;
  const [service] = await Promise.all([
    // What nothing was ever put for serves something of its own.
    useServiceUnderTest(
      t,
      contents[before ?? "third"],
      refused ? contents[refused].leaf.fingerprint256 : null,
    ),
    prepareNode(operation, folder, contents),
    etcd.put(key, contents[inEtcd].whole),
  ]);
  const ownFiles = { pem: join(folder, "service.pem"), ca: join(folder, "service-ca.pem") };
  if (before !== null) await writeOwnFiles(ownFiles, contents[before]);
  const settings = {
    etcd: { endpoints: [etcd.endpoint], prefix },
    output: { keep: 1, auditEvery: "100ms", onDelete: "remove" },
    services: [
      {
        name: "engine",
        bundles: [NAME],
        notify: { http: { url: service.hookUrl, timeout: "10s" } },
        verify: { tls: { address: service.tlsAddress, within: "10s" } },
        files: [
          { path: ownFiles.pem, content: "combined" },
          { path: ownFiles.ca, content: "ca" },
        ],
      },
    ],
  };
  return {
    folder,
    dir,
    ownFiles,
    service,
    settings,
    setOff: async () => {
      if (operation.setOff === "deleteKey") await etcd.ctl(["del", key]);
      else if (operation.setOff === "loseGeneration") {
        const generations = join(dir, ".generations");
        for (const id of await readdir(generations)) await rm(join(generations, id), { recursive: true });
      }
    },
  };
}

/** As the daemon left them when this was made live. */
async function writeOwnFiles({ pem, ca }: Scene["ownFiles"], content: BundlePems): Promise<void> {
  await writeFile(pem, content.key + content.chain, { mode: 0o600 });
  if (content.whole.includes(content.ca)) await writeFile(ca, content.ca);
}

/** Starts the daemon with an order of when to be killed; it does not outlive the test. */
export async function startOrdered(
  t: TestContext,
  { folder, settings }: Scene,
  order: Omit<KillOrder, "below">,
): Promise<WatchedDaemon> {
  const { configFile } = await writeConfig(folder, settings);
  const ordered = JSON.stringify({ ...order, below: [folder] });
  const env = { NODE_OPTIONS: `--import tsx --import ${KILL_AT}`, KEYTURN_TEST_KILL: ordered };
  return watch(t, spawnKeyturn(["run", "--config", configFile], env));
}

/** Starts the daemon with every change that it makes written to `log` by strace. */
export async function startTraced(
  t: TestContext,
  { folder, settings }: Scene,
  log: string,
): Promise<WatchedDaemon> {
  const { configFile } = await writeConfig(folder, settings);
  return watch(t, spawnKeyturn(["run", "--config", configFile], {}, tracedTo(log)));
}

function watch(t: TestContext, process: ChildProcess): WatchedDaemon {
  t.after(() => process.kill("SIGKILL"));
  process.stderr?.resume();
  const ended = once(process, "exit").then(([code, signal]) => signal ?? code);
  return { process, log: followLog(process), ended };
}
