/** Many bundles at once: the first sync, a start where nothing changed, and doing nothing. */
import { setTimeout as sleep } from "node:timers/promises";
import type { BundlePems } from "../support/pki.ts";
import { until } from "../support/wait.ts";
import type { Child } from "./child.ts";
import { configureKeyturn } from "./keyturn.ts";
import type { Plan } from "./plan.ts";
import type { Stand } from "./stand.ts";
import { type Usage, usageOf } from "./usage.ts";

/** From spawn to ready. */
export interface Start {
  readonly tookMs: number;
  readonly hooks: number;
  readonly usage: Usage;
}

/** What was seen with many bundles. */
export interface Fleet {
  readonly bundles: number;
  /** All of them new. */
  readonly first: Start;
  /** None of them changed. */
  readonly cold: Start;
  readonly idle: { readonly forMs: number; readonly cpuMsPerSecond: number; readonly usage: Usage };
}

const DEADLINE_MS = 600_000;
const SETTLE_MS = 2_000;
const PUTS_AT_ONCE = 32;
const PREFIX = "/bench/fleet/";

/** Measures the three, one after another, on one folder. */
export async function measureFleet(
  stand: Stand,
  bundles: readonly BundlePems[],
  { idleMs }: Plan,
): Promise<Fleet> {
  let hooks = 0;
  const url = stand.receiver.urlFor("fleet", async () => {
    hooks++;
  });
  await putAll(stand, bundles);
  const keyturn = await configureKeyturn(stand, "fleet", PREFIX, url);

  const start = async (expectedHooks: number): Promise<{ child: Child; seen: Start }> => {
    hooks = 0;
    const begin = performance.now();
    const child = keyturn.start();
    await until(
      `${bundles.length} bundles are live`,
      async () => {
        child.check();
        // Asking costs: only when it can be true.
        return hooks >= expectedHooks && (await keyturn.hasLive(bundles.length));
      },
      DEADLINE_MS,
    );
    const tookMs = performance.now() - begin;
    return { child, seen: { tookMs, hooks, usage: usageOf(child.pid) } };
  };

  const first = await start(bundles.length);
  await sleep(SETTLE_MS);
  const afterFirst = hooks;
  await first.child.stop();

  const cold = await start(0);
  await sleep(SETTLE_MS);
  const before = usageOf(cold.child.pid);
  await sleep(idleMs);
  const usage = usageOf(cold.child.pid);
  const cpuMsPerSecond = (usage.cpuMs - before.cpuMs) / (idleMs / 1000);
  const afterCold = hooks;
  await cold.child.stop();
  return {
    bundles: bundles.length,
    first: { ...first.seen, hooks: afterFirst },
    cold: { ...cold.seen, hooks: afterCold },
    idle: { forMs: idleMs, cpuMsPerSecond, usage },
  };
}

async function putAll({ put }: Stand, bundles: readonly BundlePems[]): Promise<void> {
  for (let from = 0; from < bundles.length; from += PUTS_AT_ONCE) {
    const some = bundles.slice(from, from + PUTS_AT_ONCE);
    await Promise.all(some.map(({ whole }, index) => put(`${PREFIX}bundle-${from + index}.pem`, whole)));
  }
}
