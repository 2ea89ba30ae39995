/** The keyturn that was built, as users run it: `node dist/cli.js run --config FILE`, everything else at its default. */
import { randomBytes } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { stringify } from "yaml";
import { freePorts } from "../../src/dev/etcd.ts";
import type { Status } from "../../src/observe/status.ts";
import { type Child, startChild } from "./child.ts";
import type { ServicePorts } from "./service.ts";
import type { Stand } from "./stand.ts";

const CLI = fileURLToPath(new URL("../../dist/cli.js", import.meta.url));

/** A configured keyturn, which can be started more than once on the same output folder. */
export interface Keyturn {
  readonly outputDir: string;
  /** JSON, a line for each event. */
  readonly log: string;
  start(): Child;
  /** Whether /readyz says so and /status shows this many bundles, all of them live. */
  hasLive(count: number): Promise<boolean>;
}

/** Writes the configuration of a keyturn that follows `prefix` and tells `url`; after a service, where one is given. */
export async function configureKeyturn(
  { etcd, folder, closes }: Stand,
  name: string,
  prefix: string,
  url: string,
  ports?: ServicePorts,
): Promise<Keyturn> {
  const dir = folder(name);
  const [port] = await freePorts(1);
  const admin = `127.0.0.1:${port}`;
  const outputDir = join(dir, "output");
  const log = join(dir, "log");
  const secretFile = join(dir, "webhook-secret");
  const configFile = join(dir, "keyturn.yaml");
  const receiver = { name: "receiver", bundles: ["*"], stage: 2, notify: { http: { url, secretFile } } };
  const services = ports === undefined ? [receiver] : [verifiedService(ports, secretFile), receiver];
  const config = {
    etcd: { endpoints: [etcd.endpoint], prefix },
    output: { dir: outputDir },
    services,
    admin: { listen: admin },
  };
  writeFileSync(secretFile, `whsec_${randomBytes(32).toString("base64")}`, { mode: 0o600 });
  writeFileSync(configFile, stringify(config));
  return {
    outputDir,
    log,
    start: () => {
      const child = startChild([process.execPath, CLI, "run", "--config", configFile], log);
      closes.push(() => child.stop());
      return child;
    },
    hasLive: async (count) => {
      if (!(await isReady(`http://${admin}/readyz`))) return false;
      const { bundles } = (await (await fetch(`http://${admin}/status`)).json()) as Status;
      return bundles.length === count && bundles.every(({ live, state }) => live && state === "live");
    },
  };
}

/** Everything about its verification at the default. */
function verifiedService({ hook, tls }: ServicePorts, secretFile: string): object {
  return {
    name: "service",
    bundles: ["*"],
    stage: 1,
    notify: { http: { url: `http://127.0.0.1:${hook}/`, secretFile } },
    verify: { tls: { address: `127.0.0.1:${tls}`, connections: 3 } },
  };
}

async function isReady(url: string): Promise<boolean> {
  try {
    return (await fetch(url)).ok;
  } catch {
    // Not listening yet; the caller has the deadline.
    return false;
  }
}
