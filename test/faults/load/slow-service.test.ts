/** A service that takes long over a hook, and those that want to rotate meanwhile. */
import assert from "node:assert/strict";
import { describe, it, type TestContext } from "node:test";
import { useDaemon } from "../../support/daemon.ts";
import { useHookReceiver } from "../../support/hook-receiver.ts";
import { useStand } from "../../support/stand.ts";
import { stays, until } from "../../support/wait.ts";
import { useWriter } from "../../support/writer.ts";
import { makeContents, namesOf, putAll, untilAllLive } from "./stand.ts";

/** A node with a service whose hooks are answered when the test says so, and ten bundles of another service. */
async function setUp(t: TestContext, concurrency: number, hook: object = {}) {
  const { etcd, folder, receiver: others, settings } = await useStand(t);
  const answers: (() => void)[] = [];
  const slow = await useHookReceiver(t, {
    answer: (_hook, respond) => void answers.push(() => respond.writeHead(204).end()),
  });
  const daemon = await useDaemon(t, folder, {
    ...settings,
    queue: { concurrency },
    services: [
      { name: "slow", bundles: ["slow"], notify: { http: { url: slow.url, timeout: "5m", ...hook } } },
      ...settings.services.map((service) => ({ ...service, bundles: ["other-*"] })),
    ],
  });
  const writer = useWriter(t, etcd.endpoint);
  const [first, second, content] = makeContents(3);
  assert.ok(first && second && content);
  const rest = new Map(namesOf("other", 10).map((name) => [name, content]));
  await putAll(writer, new Map([["slow", first]]));
  await until("the slow hook is under way", () => slow.hooks.length === 1);
  const answerAll = () => {
    for (const answer of answers.splice(0)) answer();
  };
  return { daemon, writer, slow, others, first, second, rest, answerAll };
}

describe("a service that takes long over its hook", () => {
  it("does not hold up bundles of other services, where more than one may rotate at a time", async (t) => {
    const { daemon, writer, slow, others, first, rest, answerAll } = await setUp(t, 2);

    await putAll(writer, rest);
    await untilAllLive(daemon, rest);
    const hooksWhileSlow = [slow.hooks.length, (await daemon.bundle("slow"))?.live];
    answerAll();
    await untilAllLive(daemon, new Map([["slow", first]]));

    assert.deepEqual(hooksWhileSlow, [1, false]);
    assert.equal(others.hooks.length, rest.size);
  });

  it("holds up all others until it answers or its timeout is over, where one at a time may rotate", async (t) => {
    const { daemon, writer, slow, others, first, rest, answerAll } = await setUp(t, 1);

    await putAll(writer, rest);
    await until("all others wait", async () => (await daemon.status()).queueDepth === rest.size);
    await stays(() => others.hooks.length === 0, "nobody else is told", 1_000);
    answerAll();
    await untilAllLive(daemon, new Map([...rest, ["slow", first]]));

    assert.deepEqual([slow.hooks.length, others.hooks.length], [1, rest.size]);
  });

  it("is told of newer content next, and never again of what that replaced", async (t) => {
    const { daemon, writer, slow, second, answerAll } = await setUp(t, 2, { timeout: "2s", attempts: 20 });

    await putAll(writer, new Map([["slow", second]]));
    await until("the next hook is under way", () => slow.hooks.length > 1);
    answerAll();
    await untilAllLive(daemon, new Map([["slow", second]]));

    const told = slow.hooks.map(({ event }) => event.data.leaf?.fingerprint256);
    assert.equal(told.length, 2);
    assert.equal(told[1], second.fingerprint256);
  });
});
