/** A node whose clock is not to be trusted: etcd and services have the right time, the daemon has that of the test. */
import { X509Certificate } from "node:crypto";
import type { TestContext } from "node:test";
import type { TestDaemon } from "../../support/daemon.ts";
import { useEtcd } from "../../support/etcd.ts";
import { useFolder } from "../../support/folder.ts";
import { type HookBehaviour, useHookReceiver } from "../../support/hook-receiver.ts";
import { type Minted, mint, mintAuthority, type Wish } from "../../support/mint.ts";
import { until } from "../../support/wait.ts";
import { createWallClock, useDaemonAt } from "../../support/wall-clock.ts";
import { useWriter } from "../../support/writer.ts";

/** What is put, and how it is known again. */
export interface Content {
  readonly pem: string;
  readonly fingerprint256: string;
}

/** Longer than the daemon waits before it looks again by itself: a minute. */
export const NEXT_LOOK_MS = 150_000;

/** Sets it up, with the settings of a daemon whose service uses every bundle, and a clock that is so many days off. */
export async function useClockStand(t: TestContext, days = 0, behaviour: HookBehaviour = {}) {
  const [etcd, folder, receiver] = await Promise.all([
    useEtcd(t),
    useFolder(t),
    useHookReceiver(t, behaviour),
  ]);
  const { put } = useWriter(t, etcd.endpoint);
  const clock = await createWallClock(folder, days);
  // Whatever the clock says, it is the leaf that is out of time.
  const root = mintAuthority("Root", { from: -25_000, until: 9_000 });
  const settings = {
    etcd: { endpoints: [etcd.endpoint] },
    services: [{ name: "vllm", bundles: ["*"], notify: { http: { url: receiver.url } } }],
  };
  return {
    etcd,
    folder,
    receiver,
    put,
    clock,
    settings,
    /** A leaf of this root; days are those of the right time. */
    content: (wish: Wish = {}): Content => contentOf(mint({ issuer: root, ...wish }), root),
    start: (more: object = {}) => useDaemonAt(t, clock, folder, { ...settings, ...more }),
  };
}

/** Waits until this content is live. */
export function untilServed(
  daemon: TestDaemon,
  name: string,
  { fingerprint256 }: Content,
  deadlineMs?: number,
) {
  return until(
    `that content of ${name} is live`,
    async () => {
      const bundle = await daemon.bundle(name);
      const isIt = bundle?.generation?.leaf?.fingerprint256 === fingerprint256;
      return bundle?.live && isIt ? bundle : undefined;
    },
    deadlineMs,
  );
}

/** Waits until the newest content is rejected; gives the codes. */
export function untilRejected(daemon: TestDaemon, name: string): Promise<string[]> {
  return until(`${name} is rejected`, async () => {
    const bundle = await daemon.bundle(name);
    return bundle?.state === "rejected" ? bundle.problems.map(({ code }) => code) : undefined;
  });
}

/** Whether /readyz says that the node is ready. */
export async function isReady({ adminUrl }: TestDaemon): Promise<boolean> {
  return (await fetch(`${adminUrl}/readyz`)).ok;
}

function contentOf(leaf: Minted, root: Minted): Content {
  const { fingerprint256 } = new X509Certificate(leaf.der);
  return { pem: leaf.pem + leaf.keyPem + root.pem, fingerprint256 };
}
