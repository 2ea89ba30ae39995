import assert from "node:assert/strict";
import { describe, it, type TestContext } from "node:test";
import { KeyturnError } from "../../src/core/errors.ts";
import type { Generation } from "../../src/core/generation.ts";
import { createProbes } from "../../src/verify/probes.ts";
import { type ScheduleOptions, type WatchedService, watchServed } from "../../src/verify/schedule.ts";
import type { Looked } from "../../src/verify/tls-look.ts";
import { manualClock } from "../support/manual-clock.ts";
import { generationOf } from "../support/notice.ts";
import { generationWith, type LookedEvent, untroubled, useProbeStand } from "../support/probe-stand.ts";
import { until } from "../support/wait.ts";

const EVERY_MS = 60_000;
const SECOND_LOOK_MS = 500;

describe("the schedule", () => {
  it("looks at a real service, and has it told when it falls back", async (t) => {
    const { old, next, service, tools } = await useProbeStand(t);
    service.serve(next);
    const address = { host: "127.0.0.1", port: service.port };
    const { look } = createProbes("vllm", { tls: { address, within: 10_000, connections: 3 } }, tools);
    const watch = useWatch(t, [{ ...serviceOf("vllm"), look }], [generationWith(next)]);
    await watch.nextPeriod();
    await until("it has looked", () => watch.events.length === 1);
    service.serve(old);
    await watch.nextPeriod();
    await watch.secondLook();
    await until("it is told", () => watch.calls.length === 1);
    assert.deepEqual(
      watch.events.map(({ reason }) => reason),
      [null, "wrong_cert", "wrong_cert"],
    );
    assert.match(watch.calls[0] ?? "", /^vllm inference vllm serves CN=old\.local .+, not CN=next\.local/);
    assert.equal(service.connections, 3);
  });

  it("looks at each live bundle a service uses, after a period and not before", async (t) => {
    const seen: string[] = [];
    const service = serviceOf("vllm", async ({ name }) => {
      seen.push(name);
      return lookedAs("matches");
    });
    const uses = (name: string) => name !== "mesh";
    const watch = useWatch(
      t,
      [{ ...service, uses }],
      [generationOf("a"), generationOf("mesh"), generationOf("b")],
    );
    await until("it waits", () => watch.clock.sleeping.length === 1);
    assert.deepEqual(seen, []);
    await watch.nextPeriod();
    await until("it has looked", () => watch.clock.sleeping.length === 1 && seen.length === 2);
    assert.deepEqual(seen, ["a", "b"]);
    assert.deepEqual([watch.events.length, watch.calls], [2, []]);
  });

  it("takes ten percent more or less each time, so that services do not move in step", async (t) => {
    const services = Array.from({ length: 40 }, (_, number) => serviceOf(`service-${number}`));
    const watch = useWatch(t, services, [], { random: null });
    await until("all wait", () => watch.clock.sleeping.length === 40);
    const waits = watch.clock.sleeping;
    assert.ok(waits.every((ms) => ms >= EVERY_MS * 0.9 && ms <= EVERY_MS * 1.1));
    assert.ok(new Set(waits).size > 30);
  });

  it("is not held up by a service that hangs", async (t) => {
    const hung = serviceOf("hung", (_, signal) => untilAborted(signal));
    const watch = useWatch(t, [hung, serviceOf("vllm")], [generationOf()]);
    for (const looks of [1, 2, 3]) {
      await watch.nextPeriod();
      await until("the other one was looked at", () => watch.events.length === looks);
    }
  });

  it("goes on where files cannot be read, which says nothing of the service", async (t) => {
    let looks = 0;
    const service = serviceOf("vllm", async () => {
      if (++looks === 1) throw new KeyturnError("STORE_FAILED", "ca.crt is gone");
      return lookedAs("matches");
    });
    const watch = useWatch(t, [service], [generationOf()]);
    await watch.nextPeriod();
    await watch.nextPeriod();
    await until("it has looked again", () => watch.events.length === 1);
    assert.equal(looks, 2);
  });

  it("ends with a fault of its own", async () => {
    const { options, clock } = optionsOf(
      [serviceOf("vllm", () => Promise.reject(new TypeError("a fault")))],
      [generationOf()],
    );
    const rejected = assert.rejects(watchServed(options, untroubled()), TypeError);
    await until("it waits", () => clock.sleeping.length === 1);
    clock.advance(EVERY_MS * 1.1);
    await rejected;
  });

  for (const [when, look] of [
    ["while it waits", undefined],
    ["while it looks", (_: Generation, signal: AbortSignal) => untilAborted(signal)],
  ] as const) {
    it(`ends ${when} when it is told to`, async (t) => {
      let looks = 0;
      const service = serviceOf("vllm", (generation, signal) => {
        looks++;
        return look === undefined ? Promise.resolve(lookedAs("matches")) : look(generation, signal);
      });
      const watch = useWatch(t, [service], [generationOf()]);
      await watch.nextPeriod();
      await until("it has begun to look", () => looks === 1);
      watch.abort();
      await watch.ended;
      assert.equal(watch.clock.sleeping.length, 0);
    });
  }
});

describe("a mismatch on the schedule", () => {
  it("calls nobody where it is gone a moment later", async (t) => {
    const watch = useWatch(t, [scripted("differs", "matches")], [generationOf()]);
    await watch.nextPeriod();
    await watch.secondLook();
    await until("it has looked twice", () => watch.events.length === 2);
    await until("it waits", () => watch.clock.sleeping[0] === EVERY_MS);
    assert.deepEqual([watch.calls, watch.recoveries], [[], []]);
  });

  it("calls nobody where the service is gone a moment later", async (t) => {
    const watch = useWatch(t, [scripted("differs", "unseen")], [generationOf()]);
    await watch.nextPeriod();
    await watch.secondLook();
    await until("it has looked twice", () => watch.events.length === 2);
    await until("it waits", () => watch.clock.sleeping[0] === EVERY_MS);
    assert.deepEqual(watch.calls, []);
  });

  for (const kind of ["unseen", "distrusted"] as const) {
    it(`is none where the service is ${kind}: that is only reported`, async (t) => {
      const watch = useWatch(t, [scripted(kind)], [generationOf()]);
      for (const looks of [1, 2, 3]) {
        await watch.nextPeriod();
        await until("it has looked", () => watch.events.length === looks);
      }
      await until("it waits", () => watch.clock.sleeping[0] === EVERY_MS);
      assert.deepEqual(watch.calls, []);
      assert.deepEqual(
        watch.events.map(({ matches }) => matches),
        [false, false, false],
      );
    });
  }

  it("calls nobody while a reload is on its way, and nothing is looked at", async (t) => {
    let looks = 0;
    const service = serviceOf("vllm", async () => {
      looks++;
      return lookedAs("differs");
    });
    const watch = useWatch(t, [service], [generationOf()]);
    watch.busy = true;
    await watch.nextPeriod();
    await until("it waits again", () => watch.clock.sleeping[0] === EVERY_MS);
    assert.deepEqual([looks, watch.events.length, watch.calls], [0, 0, []]);
  });

  it("is not even reported where a rotation came into the look", async (t) => {
    const watch = useWatch(
      t,
      [
        serviceOf("vllm", async () => {
          watch.live = [generationOf("inference", "live", 2)];
          return lookedAs("differs");
        }),
      ],
      [generationOf("inference", "live", 1)],
    );
    await watch.nextPeriod();
    await until("it waits again", () => watch.clock.sleeping[0] === EVERY_MS);
    assert.deepEqual([watch.live[0]?.revision, watch.events.length, watch.calls], [42, 0, []]);
  });

  it("calls nobody where a reload began before the second look", async (t) => {
    const watch = useWatch(t, [scripted("differs")], [generationOf()]);
    await watch.nextPeriod();
    await until("it waits for the second look", () => watch.clock.sleeping[0] === SECOND_LOOK_MS);
    watch.busy = true;
    watch.clock.advance(SECOND_LOOK_MS);
    await until("it waits again", () => watch.clock.sleeping[0] === EVERY_MS);
    assert.deepEqual([watch.events.length, watch.calls], [1, []]);
  });

  it("that stays calls ever more rarely, up to ten periods, and is reported all the same", async (t) => {
    const watch = useWatch(t, [scripted("differs")], [generationOf()], { random: 0.999_99 });
    const calledAt = await watch.periodsOfCalls(40);
    // Waits of 1, 2, 4, 8, 10, 10 … times the period, each of which is a tenth longer here.
    assert.deepEqual(calledAt.slice(0, 4), [0, 1, 3, 7]);
    const gaps = calledAt.slice(4).map((period, at) => period - (calledAt[at + 3] ?? 0));
    assert.ok(gaps.length >= 3 && gaps.every((gap) => gap >= 7 && gap <= 10), String(calledAt));
    assert.ok(watch.events.length >= 40);
  });

  it("begins anew when it was right for once", async (t) => {
    const kinds: ("differs" | "matches")[] = [];
    const service = serviceOf("vllm", async () => lookedAs(kinds.shift() ?? "differs"));
    const watch = useWatch(t, [service], [generationOf()], { random: 0.999_99 });
    assert.equal((await watch.periodsOfCalls(8)).length, 4);
    assert.deepEqual(watch.recoveries, []);
    kinds.push("matches");
    assert.deepEqual(await watch.periodsOfCalls(4), [1, 2]);
    assert.deepEqual(watch.recoveries, ["vllm inference"]);
  });

  it("begins anew with another generation", async (t) => {
    const watch = useWatch(t, [scripted("differs")], [generationOf()], { random: 0.999_99 });
    assert.equal((await watch.periodsOfCalls(8)).length, 4);
    watch.live = [generationOf("inference", "live", 2)];
    assert.deepEqual(await watch.periodsOfCalls(3), [0, 1]);
  });
});

function untilAborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    signal.addEventListener("abort", () => reject(signal.reason));
  });
}

type Kind = Looked["verdict"]["kind"];

function lookedAs(kind: Kind): Looked {
  const message = `vllm ${kind}`;
  const event = { type: "service.looked", service: "vllm", bundle: generationOf().name } as const;
  const seen = { ...event, serverName: "inference.local", message };
  if (kind === "matches")
    return { verdict: { kind, message }, event: { ...seen, matches: true, reason: null } };
  const reason = "wrong_cert" as const;
  return {
    verdict: { kind, reason, message, fingerprint256: null },
    event: { ...seen, matches: false, reason },
  };
}

function serviceOf(
  name: string,
  look: WatchedService["look"] = async () => lookedAs("matches"),
): WatchedService {
  return { name, everyMs: EVERY_MS, uses: () => true, look };
}

/** Sees one after another, and then the last for ever. */
function scripted(...kinds: readonly Kind[]): WatchedService {
  let looks = 0;
  return serviceOf("vllm", async () => lookedAs(kinds[Math.min(looks++, kinds.length - 1)] ?? "matches"));
}

function optionsOf(services: readonly WatchedService[], live: readonly Generation[]) {
  const clock = manualClock();
  const state = {
    live,
    busy: false,
    calls: [] as string[],
    recoveries: [] as string[],
    events: [] as LookedEvent[],
  };
  const options: ScheduleOptions = {
    services,
    liveBundles: () => state.live,
    isBusy: () => state.busy,
    onMismatch: (...said) => state.calls.push(said.join(" ")),
    onRecovery: (...said) => state.recoveries.push(said.join(" ")),
    clock,
    report: (event) => {
      if (event.type === "service.looked") state.events.push(event);
    },
  };
  return { state, options, clock };
}

/** A schedule that runs until the test is over. Chance is switched off: null leaves it on. */
function useWatch(
  t: TestContext,
  services: readonly WatchedService[],
  live: readonly Generation[],
  { random = 0.5 }: { readonly random?: number | null } = {},
) {
  if (random !== null) t.mock.method(Math, "random", () => random);
  const { state, options, clock } = optionsOf(services, live);
  const stop = new AbortController();
  const ended = watchServed(options, stop.signal);
  t.after(() => {
    stop.abort();
    return ended;
  });
  const isPeriod = (ms: number) => ms >= EVERY_MS * 0.9;
  const nextPeriod = async () => {
    await until("a service waits for its period", () => clock.sleeping.some(isPeriod));
    clock.advance(Math.max(...clock.sleeping));
  };
  const secondLook = async () => {
    await until("it waits for the second look", () => clock.sleeping.includes(SECOND_LOOK_MS));
    clock.advance(SECOND_LOOK_MS);
  };
  /** In which of the next periods somebody was called, from 0. */
  const periodsOfCalls = async (periods: number) => {
    const called: number[] = [];
    for (let period = 0; period < periods; period++) {
      const before = state.calls.length;
      await nextPeriod();
      const looked = () => clock.sleeping.find((ms) => ms > 0);
      if ((await until("it waits", looked)) === SECOND_LOOK_MS) await secondLook();
      await until("it waits for its period", () => clock.sleeping.some(isPeriod));
      if (state.calls.length > before) called.push(period);
    }
    return called;
  };
  return Object.assign(state, {
    clock,
    ended,
    abort: () => stop.abort(),
    nextPeriod,
    secondLook,
    periodsOfCalls,
  });
}
