/** What a soak is made on: an etcd, a daemon, and lanes of one bundle and one service each; taken away in reverse. */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { stringify } from "yaml";
import { startEtcd } from "../../../src/dev/etcd.ts";
import type { CloseStack } from "../../../src/runtime/close-stack.ts";
import { mintAuthority } from "../../support/mint.ts";
import { useWriter } from "../../support/writer.ts";
import { diceOf } from "../dice.ts";
import { Lane, type World } from "./lane.ts";
import { type Node, startNode } from "./node.ts";
import { type Service, startService } from "./service.ts";

/** The stand of one soak. */
export interface Stand {
  readonly node: Node;
  readonly lanes: readonly Lane[];
  /** Lets all lanes turn until this many rotations more were made, and are still. */
  rotate(count: number, onRotation: () => void): Promise<void>;
}

/** Bundles that turn side by side. */
const LANES = 6;

/** Builds it; whatever was opened is on the stack, also where this fails half-way. */
export async function buildStand(seed: number, closes: CloseStack): Promise<Stand> {
  const folder = await mkdtemp(join(tmpdir(), "keyturn-soak-"));
  closes.push(() => rm(folder, { recursive: true, force: true }));
  const etcd = await startEtcd();
  closes.push(() => etcd.stop());
  const writer = useWriter({ after: (close) => closes.push(async () => void (await close)) }, etcd.endpoint);
  const services = await Promise.all(names().map((name) => startService(`${name}.local`)));
  for (const service of services) closes.push(() => service.close());
  const token = `soak-${seed}`;
  const configFile = await configure(folder, etcd.endpoint, services, token);
  const node = await startNode(configFile);
  closes.push(async () => void (await node.stop()));

  let left = 0;
  let notify: () => void = () => undefined;
  const world: World = {
    node,
    token,
    root: mintAuthority("Soak Root"),
    dice: diceOf(seed, "soak"),
    put: (key, value) => writer.put(key, value),
    delete: async (key) => void (await writer.delete(key)),
    takeRotation: () => {
      notify();
      return left-- > 0;
    },
  };
  const lanes = services.map((service, index) => new Lane(nameOf(index), service, world));
  return {
    node,
    lanes,
    rotate: async (count, onRotation) => {
      // Each lane makes one more at its end.
      left = count - lanes.length;
      notify = onRotation;
      await Promise.all(lanes.map((lane) => lane.drive()));
    },
  };
}

async function configure(
  folder: string,
  endpoint: string,
  services: readonly Service[],
  token: string,
): Promise<string> {
  const [configFile, tokenFile] = [join(folder, "keyturn.yaml"), join(folder, "token")];
  await writeFile(tokenFile, token, { mode: 0o600 });
  const config = {
    node: "soak",
    etcd: { endpoints: [endpoint] },
    output: { dir: join(folder, "output"), onDelete: "remove" },
    queue: { concurrency: 4 },
    services: services.map(({ hookUrl, tlsAddress }, index) => ({
      name: `service-${index}`,
      bundles: [nameOf(index)],
      notify: { http: { url: hookUrl } },
      verify: { tls: { address: tlsAddress } },
    })),
    admin: { listen: "127.0.0.1:0", tokenFile },
    log: { format: "json" },
  };
  await writeFile(configFile, stringify(config));
  return configFile;
}

function names(): string[] {
  return Array.from({ length: LANES }, (_, index) => nameOf(index));
}

function nameOf(index: number): string {
  return `bundle-${index}`;
}
