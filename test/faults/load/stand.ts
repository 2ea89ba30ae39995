/** A node with many bundles: what is put, what services were told of it, and whether all of it is live. */
import { X509Certificate } from "node:crypto";
import type { TestDaemon } from "../../support/daemon.ts";
import type { HookReceiver } from "../../support/hook-receiver.ts";
import { mint, mintAuthority } from "../../support/mint.ts";
import { until } from "../../support/wait.ts";
import type { Writer } from "../../support/writer.ts";

/** What is put, and how it is known again. */
export interface Content {
  readonly pem: string;
  readonly fingerprint256: string;
}

const DEADLINE_MS = 120_000;
const ROOT = mintAuthority("Load Root");

/** Contents that differ. */
export function makeContents(count: number): Content[] {
  return Array.from({ length: count }, () => {
    const leaf = mint({ issuer: ROOT });
    const { fingerprint256 } = new X509Certificate(leaf.der);
    return { pem: leaf.pem + leaf.keyPem + ROOT.pem, fingerprint256 };
  });
}

/** Names of bundles: `group-0`, `group-1`, … */
export function namesOf(group: string, count: number): string[] {
  return Array.from({ length: count }, (_, index) => `${group}-${index}`);
}

/** Puts each bundle as fast as etcd takes them. */
export async function putAll({ put }: Writer, contents: ReadonlyMap<string, Content>): Promise<void> {
  await Promise.all([...contents].map(([name, { pem }]) => put(`/certs/${name}.pem`, pem)));
}

/** Waits until exactly these contents are live. */
export async function untilAllLive(
  daemon: TestDaemon,
  contents: ReadonlyMap<string, Content>,
  deadlineMs = DEADLINE_MS,
): Promise<void> {
  await until(
    `${contents.size} bundles are live`,
    async () => {
      const live = new Map(
        (await daemon.status()).bundles.map(({ name, live: isLive, state, generation }) => [
          String(name),
          isLive && state === "live" ? generation?.leaf?.fingerprint256 : undefined,
        ]),
      );
      return [...contents].every(([name, { fingerprint256 }]) => live.get(name) === fingerprint256);
    },
    deadlineMs,
  );
}

/** How often the service was told of each content of a bundle: by name and fingerprint. */
export function toldOf(receiver: HookReceiver, from = 0): Map<string, number> {
  const told = new Map<string, number>();
  for (const { event } of receiver.hooks.slice(from)) {
    const { bundle, leaf } = event.data;
    const which = `${bundle} ${leaf?.fingerprint256}`;
    told.set(which, (told.get(which) ?? 0) + 1);
  }
  return told;
}
