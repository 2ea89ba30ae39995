/** What everything is measured on: one etcd, one receiver, one folder, and a stack that takes all of it away again. */
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Etcd3 } from "etcd3";
import { type DevEtcd, startEtcd } from "../../src/dev/etcd.ts";
import type { CloseStack } from "../../src/runtime/close-stack.ts";
import { type Receiver, startReceiver } from "./receiver.ts";

/** The stand of one run. */
export interface Stand {
  readonly etcd: DevEtcd;
  readonly receiver: Receiver;
  readonly closes: CloseStack;
  /** Makes a folder of that name. */
  folder(name: string): string;
  /** Puts a value with the one client that all contenders are served by. */
  put(key: string, value: string): Promise<void>;
}

/** Builds the stand; whatever was opened is on the stack, also where this fails half-way. */
export async function buildStand(closes: CloseStack): Promise<Stand> {
  const root = mkdtempSync(join(tmpdir(), "keyturn-bench-"));
  closes.push(() => rmSync(root, { recursive: true, force: true }));
  const starting = startEtcd();
  closes.push(async () => (await starting).stop());
  const etcd = await starting;
  const client = new Etcd3({ hosts: [etcd.endpoint], grpcOptions: { "grpc.enable_http_proxy": 0 } });
  closes.push(() => client.close());
  const receiver = await startReceiver();
  closes.push(() => receiver.close());
  return {
    etcd,
    receiver,
    closes,
    folder: (name) => {
      const path = join(root, name);
      mkdirSync(path, { mode: 0o700 });
      return path;
    },
    put: async (key, value) => {
      await client.kv.put({ key: Buffer.from(key), value: Buffer.from(value) });
    },
  };
}
