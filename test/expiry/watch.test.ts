import assert from "node:assert/strict";
import { describe, it, type TestContext } from "node:test";
import type { DaemonEvent } from "../../src/core/events.ts";
import type { Generation } from "../../src/core/generation.ts";
import type { ExpiryWarning } from "../../src/expiry/standings.ts";
import { watchExpiry } from "../../src/expiry/watch.ts";
import type { Clock } from "../../src/runtime/clock.ts";
import { manualClock } from "../support/manual-clock.ts";
import { nameOf } from "../support/material.ts";
import { generationOf } from "../support/notice.ts";
import { until } from "../support/wait.ts";

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const LOOK_MS = 60_000;
/** Longer than any wait between two tries. */
const LONG_MS = 3_600_000;

describe("watching certificates on their way to their end", () => {
  it("says nothing of one that has most of its life before it", async (t) => {
    const node = new Node();
    node.hold("mesh", 80 * DAY_MS);
    const watch = node.watch(t);
    await watch.look();
    assert.deepEqual([node.reported, node.told, node.recorded("mesh")], [[], [], []]);
  });

  it("says nothing of a bundle without a leaf", async (t) => {
    const node = new Node();
    node.generations.set("roots", { ...generationOf("roots"), leaf: null });
    await node.watch(t).look();
    assert.deepEqual(node.reported, []);
  });

  it("looks at the start, and says what is left, of which certificate", async (t) => {
    const node = new Node();
    const generation = node.hold("mesh", 6 * DAY_MS);
    const watch = node.watch(t);
    await watch.settled("mesh", "7d");
    const [warning] = node.warnings;
    assert.deepEqual(warning, {
      type: "certificate.expiring",
      bundle: "mesh",
      generation: generation.id,
      leaf: generation.leaf,
      threshold: "7d",
      remainingMs: 6 * DAY_MS,
    });
    assert.deepEqual(node.told, ["mesh 7d"]);
  });

  it("says each threshold once, however often it looks", async (t) => {
    const node = new Node();
    node.hold("mesh", 31 * DAY_MS);
    const watch = node.watch(t);
    for (let day = 0; day < 33; day++) {
      node.step(DAY_MS - 3 * LOOK_MS);
      for (let look = 0; look < 3; look++) await watch.look();
    }
    assert.deepEqual(node.reported, ["mesh 30d", "mesh 7d", "mesh 1d", "mesh 0s"]);
    assert.deepEqual(node.told, node.reported);
    assert.deepEqual([...node.recorded("mesh")].sort(), ["0s", "1/3", "1d", "30d", "7d"]);
  });

  it("says only the most urgent where it was off, and counts the others as told", async (t) => {
    const node = new Node();
    node.hold("mesh", 5 * HOUR_MS);
    const watch = node.watch(t);
    await watch.settled("mesh", "1d");
    await watch.look();
    assert.deepEqual(node.reported, ["mesh 1d"]);
    assert.deepEqual(node.recorded("mesh"), ["1d", "7d", "30d", "1/3"]);
  });

  it("says nothing again after a restart", async (t) => {
    const node = new Node();
    node.hold("mesh", 6 * DAY_MS);
    const first = node.watch(t);
    await first.settled("mesh", "7d");
    await first.stop();
    await node.watch(t).look();
    assert.deepEqual([node.reported, node.told], [["mesh 7d"], ["mesh 7d"]]);
  });

  it("starts anew with a new certificate", async (t) => {
    const node = new Node();
    node.hold("mesh", 6 * DAY_MS);
    const watch = node.watch(t);
    await watch.settled("mesh", "7d");
    node.hold("mesh", 5 * DAY_MS, { leaf: "NEW", number: 2 });
    await watch.look();
    await watch.settled("mesh", "7d");
    assert.deepEqual(node.told, ["mesh 7d", "mesh 7d"]);
  });

  it("does not say it again where only the chain is new, and records it there too", async (t) => {
    const node = new Node();
    node.hold("mesh", 6 * DAY_MS);
    const watch = node.watch(t);
    await watch.settled("mesh", "7d");
    node.hold("mesh", 6 * DAY_MS, { number: 2 });
    assert.deepEqual(node.recorded("mesh"), []);
    await watch.look();
    await watch.settled("mesh", "7d");
    assert.deepEqual([node.reported, node.told], [["mesh 7d"], ["mesh 7d"]]);
  });
});

describe("a clock that is stepped while certificates are watched", () => {
  it("brings the warning at the next look, where it goes on by a day", async (t) => {
    const node = new Node();
    node.hold("mesh", 1.5 * DAY_MS);
    const watch = node.watch(t);
    await watch.settled("mesh", "7d");
    node.step(DAY_MS);
    await watch.look();
    await watch.settled("mesh", "1d");
    assert.deepEqual(node.told, ["mesh 7d", "mesh 1d"]);
  });

  it("brings no warning twice, where it goes back by a day", async (t) => {
    const node = new Node();
    node.hold("mesh", 6.5 * DAY_MS);
    const watch = node.watch(t);
    await watch.settled("mesh", "7d");
    node.step(-DAY_MS);
    await watch.look();
    node.step(DAY_MS);
    await watch.look();
    assert.deepEqual([node.reported, node.told], [["mesh 7d"], ["mesh 7d"]]);
  });

  for (const days of [1, 400]) {
    it(`shows what is so again, where it went on by ${days} days and is put right`, async (t) => {
      const node = new Node();
      node.hold("mesh", 12 * HOUR_MS);
      node.hold("api", 80 * DAY_MS);
      const watch = node.watch(t);
      await watch.settled("mesh", "1d");
      node.step(days * DAY_MS);
      await watch.look();
      node.step(-days * DAY_MS);
      await watch.look();
      assert.deepEqual(
        node.shown,
        new Map(
          days === 1
            ? [["mesh", "1d"]]
            : [
                ["mesh", "1d"],
                ["api", null],
              ],
        ),
      );
      assert.equal(node.reported.filter((one) => one === "mesh 0s").length, 1);
    });
  }

  it("shows after a restart what was told before it", async (t) => {
    const node = new Node();
    node.hold("mesh", 6 * DAY_MS);
    const first = node.watch(t);
    await first.settled("mesh", "7d");
    await first.stop();
    node.events.length = 0;
    await node.watch(t).look();
    assert.deepEqual(node.shown, new Map([["mesh", "7d"]]));
    assert.deepEqual(node.reported, []);
  });

  it("is said to be wrong where what is current is not valid yet: once, until it is right again", async (t) => {
    const node = new Node();
    const { leaf } = node.hold("mesh", 80 * DAY_MS);
    const watch = node.watch(t);
    await watch.look();
    for (let times = 0; times < 2; times++) {
      node.step(-20_000 * DAY_MS);
      for (let look = 0; look < 3; look++) await watch.look();
      node.step(20_000 * DAY_MS);
      await watch.look();
    }
    const said = node.events.filter(({ type }) => type === "clock.behind");
    const once = { type: "clock.behind", bundle: "mesh", notBefore: leaf?.notBefore };
    assert.deepEqual(said, [once, once]);
  });

  for (const when of ["in the same process", "after a restart"]) {
    it(`brings the warnings again that it told years too early, ${when}`, async (t) => {
      const node = new Node();
      node.hold("mesh", 20 * DAY_MS);
      node.step(1000 * DAY_MS);
      let watch = node.watch(t);
      await watch.settled("mesh", "0s");
      node.step(-1000 * DAY_MS);
      if (when === "after a restart") {
        await watch.stop();
        watch = node.watch(t);
      } else await watch.look();
      await until("what was told too early is taken back", () => !node.recorded("mesh").includes("7d"));
      node.step(20 * DAY_MS);
      await watch.look();
      await watch.settled("mesh", "0s");
      assert.deepEqual(node.told, ["mesh 0s", "mesh 0s"]);
      assert.deepEqual(node.reported, node.told);
    });
  }
});

describe("a warning that cannot be told", () => {
  it("is tried again until it is, and is in the log once", async (t) => {
    const node = new Node();
    node.hold("mesh", 6 * DAY_MS);
    node.tell = async () => node.told.length > 3;
    const watch = node.watch(t);
    for (let tries = 1; tries <= 3; tries++) {
      await until(`it was tried ${tries} times`, () => node.delays.length === tries);
      assert.deepEqual(node.recorded("mesh"), []);
      watch.advance(LONG_MS);
    }
    await watch.settled("mesh", "7d");
    await watch.look();
    assert.deepEqual(node.reported, ["mesh 7d"]);
    assert.equal(node.told.length, 4, "no look tried by itself, and none goes on");
  });

  it("waits longer after each failure, up to half an hour", async (t) => {
    const node = new Node();
    node.hold("mesh", 6 * DAY_MS);
    node.tell = async () => false;
    const watch = node.watch(t);
    for (let tries = 1; tries <= 12; tries++) {
      await until(`it was tried ${tries} times`, () => node.delays.length === tries);
      watch.advance(LONG_MS);
    }
    node.delays.forEach((ms, index) => {
      assert.ok(ms <= Math.min(30_000 * 2 ** index, 1_800_000), `wait ${index + 1} was ${ms} ms`);
    });
    assert.ok(new Set(node.delays).size > 1);
  });

  it("is tried again where telling breaks down", async (t) => {
    const node = new Node();
    node.hold("mesh", 6 * DAY_MS);
    node.tell = async () => {
      if (node.told.length === 1) throw new Error("the secret cannot be read");
      return true;
    };
    const watch = node.watch(t);
    await until("it failed", () => node.delays.length === 1);
    assert.deepEqual(node.reasons, ["the secret cannot be read"]);
    watch.advance(LONG_MS);
    await watch.settled("mesh", "7d");
  });

  it("gives way to a more urgent one", async (t) => {
    const node = new Node();
    node.hold("mesh", 1.5 * DAY_MS);
    node.tell = async ({ threshold }) => threshold === "1d";
    const watch = node.watch(t);
    await until("it failed", () => node.delays.length === 1);
    node.step(DAY_MS);
    await watch.look();
    assert.deepEqual(node.reported, ["mesh 7d", "mesh 1d"]);
    watch.advance(LONG_MS);
    await watch.settled("mesh", "1d");
    assert.deepEqual(node.told, ["mesh 7d", "mesh 1d"]);
  });

  it("is not told of a certificate whose place was taken meanwhile", async (t) => {
    const node = new Node();
    node.hold("mesh", 6 * DAY_MS);
    node.tell = async () => false;
    const watch = node.watch(t);
    await until("it failed", () => node.delays.length === 1);
    node.hold("mesh", 90 * DAY_MS, { leaf: "NEW", number: 2 });
    watch.advance(LONG_MS);
    await watch.look();
    assert.deepEqual(node.told, ["mesh 7d"]);
    assert.deepEqual(node.recorded("mesh"), []);
  });

  it("is not tried beside that of the certificate that took its place", async (t) => {
    const node = new Node();
    node.hold("mesh", 6 * DAY_MS);
    const { promise, open } = gate();
    node.tell = async ({ leaf }) => leaf.fingerprint256 === "mesh NEW" && promise;
    t.after(() => open(true));
    const watch = node.watch(t);
    await until("it failed", () => node.delays.length === 1);
    node.hold("mesh", 5 * DAY_MS, { leaf: "NEW", number: 2 });
    await watch.look();
    watch.advance(LONG_MS);
    await watch.look();
    assert.deepEqual(node.told, ["mesh 7d", "mesh 7d"]);
  });

  it("that is told as its place is taken leaves the new certificate as it is", async (t) => {
    const node = new Node();
    node.hold("mesh", 6 * DAY_MS);
    const { promise, open } = gate();
    node.tell = async () => promise;
    const watch = node.watch(t);
    await until("it is being told", () => node.told.length === 1);
    node.hold("mesh", 90 * DAY_MS, { leaf: "NEW", number: 2 });
    open(true);
    await watch.look();
    assert.deepEqual(node.recorded("mesh"), []);
  });

  it("delays no other bundle, not even where telling hangs", async (t) => {
    const node = new Node();
    node.hold("hangs", 6 * DAY_MS);
    node.hold("fails", 6 * DAY_MS);
    node.hold("mesh", 6 * DAY_MS);
    const { promise, open } = gate();
    node.tell = async ({ bundle }) => (bundle === "hangs" ? promise : bundle === "mesh");
    t.after(() => open(true));
    const watch = node.watch(t);
    await watch.settled("mesh", "7d");
    node.step(5.5 * DAY_MS);
    await watch.look();
    await watch.settled("mesh", "1d");
    assert.ok(node.reported.includes("hangs 1d"), "it is in the log all the same");
  });

  it("that was told and not recorded is recorded later, and not told again", async (t) => {
    const node = new Node();
    node.hold("mesh", 6 * DAY_MS);
    node.diskIsFull = true;
    const watch = node.watch(t);
    await until("recording failed", () => node.delays.length === 1);
    await watch.look();
    node.diskIsFull = false;
    watch.advance(LONG_MS);
    await watch.settled("mesh", "7d");
    assert.deepEqual(node.told, ["mesh 7d"]);
    assert.deepEqual([...new Set(node.reasons)], ["the disk is full"]);
  });

  it("ends with the signal, and not before what is under way", async (t) => {
    const node = new Node();
    node.hold("mesh", 6 * DAY_MS);
    const { promise, open } = gate();
    let isAborted = false;
    node.tell = async (_, signal) => {
      signal.addEventListener("abort", () => {
        isAborted = true;
      });
      return promise;
    };
    const watch = node.watch(t);
    await until("it is being told", () => node.told.length === 1);
    let hasStopped = false;
    const stopping = watch.stop().then(() => {
      hasStopped = true;
    });
    await new Promise(setImmediate);
    assert.deepEqual([isAborted, hasStopped], [true, false]);
    open(true);
    await stopping;
    assert.deepEqual(node.recorded("mesh"), ["7d", "30d", "1/3"]);
  });

  it("does not hold up an end while it waits for the next try", async (t) => {
    const node = new Node();
    node.hold("mesh", 6 * DAY_MS);
    node.tell = async () => false;
    const watch = node.watch(t);
    await until("it failed", () => node.delays.length === 1);
    await watch.stop();
    assert.equal(node.told.length, 1);
  });
});

/** A node with its medium, which outlives a watch. */
class Node {
  readonly generations = new Map<string, Generation>();
  readonly events: DaemonEvent[] = [];
  readonly told: string[] = [];
  readonly begin = Date.now();
  diskIsFull = false;
  tell: (warning: ExpiryWarning, signal: AbortSignal) => Promise<boolean> = async () => true;
  readonly #medium = new Map<string, readonly string[]>();
  #steppedMs = 0;

  /** Makes a certificate for 90 days current that has this much left at the beginning. */
  hold(name: string, leftMs: number, { leaf = "FIRST", number = 1 } = {}): Generation {
    const generation = generationOf(name, "live", number);
    if (generation.leaf === null) throw new Error("no leaf");
    const end = this.begin + leftMs;
    const dates = {
      notBefore: new Date(end - 90 * DAY_MS + 1_000).toISOString(),
      notAfter: new Date(end).toISOString(),
    };
    const held = { ...generation, leaf: { ...generation.leaf, ...dates, fingerprint256: `${name} ${leaf}` } };
    this.generations.set(name, held);
    return held;
  }

  /** Sets the wall clock, and nothing else. */
  step(ms: number): void {
    this.#steppedMs += ms;
  }

  recorded(name: string): readonly string[] {
    return this.#medium.get(this.#keyOf(name)) ?? [];
  }

  get warnings(): ExpiryWarning[] {
    return this.events.filter((event) => event.type === "certificate.expiring");
  }

  get reported(): string[] {
    return this.warnings.map(({ bundle, threshold }) => `${bundle} ${threshold}`);
  }

  /** The threshold that metrics and status show of each bundle of which anything was said. */
  get shown(): Map<string, string | null> {
    return new Map(
      this.events.flatMap((event) =>
        event.type === "certificate.expiring" || event.type === "certificate.standing"
          ? [[event.bundle, event.threshold] as const]
          : [],
      ),
    );
  }

  get delays(): number[] {
    return this.events.flatMap((event) => (event.type === "expiry.delayed" ? [event.retryInMs] : []));
  }

  get reasons(): string[] {
    return this.events.flatMap((event) => (event.type === "expiry.delayed" ? [event.message] : []));
  }

  watch(t: TestContext) {
    const time = manualClock();
    const clock: Clock = {
      now: () => new Date(this.begin + this.#steppedMs + time.monotonicMs()),
      monotonicMs: time.monotonicMs,
      sleep: time.sleep,
    };
    const stopping = new AbortController();
    const options = {
      current: () => [...this.generations.values()],
      warned: (name: string) => this.recorded(name),
      recordWarned: async (name: string, labels: readonly string[]) => {
        if (this.diskIsFull) throw new Error("the disk is full");
        this.#medium.set(this.#keyOf(name), labels);
      },
      warnAtMs: [30 * DAY_MS, 7 * DAY_MS, DAY_MS],
      warnBelow: 1 / 3,
      clock,
      report: (event: DaemonEvent) => this.events.push(event),
      tell: async (warning: ExpiryWarning, signal: AbortSignal) => {
        this.told.push(`${warning.bundle} ${warning.threshold}`);
        return this.tell(warning, signal);
      },
      everyMs: LOOK_MS,
    };
    const ended = watchExpiry(options, stopping.signal);
    const stop = async () => {
      stopping.abort();
      await ended;
    };
    t.after(stop);
    return {
      stop,
      advance: (ms: number) => time.advance(ms),
      /** Lets the next look happen, and what can follow it at once. */
      look: async () => {
        await until("it waits for the next look", () => time.sleeping.includes(LOOK_MS));
        time.advance(LOOK_MS);
        await until("it looked", () => time.sleeping.includes(LOOK_MS));
        await new Promise(setImmediate);
      },
      settled: (name: string, label: string) =>
        until(`${label} of ${name} is recorded`, () => this.recorded(nameOf(name)).includes(label)),
    };
  }

  #keyOf(name: string): string {
    return `${name} ${this.generations.get(name)?.id}`;
  }
}

function gate() {
  let open: (value: boolean) => void = () => undefined;
  const promise = new Promise<boolean>((resolve) => {
    open = resolve;
  });
  return { promise, open };
}
