import assert from "node:assert/strict";
import type { RequestListener } from "node:http";
import type { Socket } from "node:net";
import { join } from "node:path";
import { describe, it } from "node:test";
import { freePorts } from "../../src/dev/etcd.ts";
import { useFolder } from "../support/folder.ts";
import { hookOf } from "../support/hook.ts";
import { useHookReceiver } from "../support/hook-receiver.ts";
import { patientClock } from "../support/patient-clock.ts";
import { breakOff, SWITCH, sendBomb, streamForEver, useDripping, useHttp, useTcp } from "./bad-servers.ts";

describe("a service that is not there", () => {
  it("is unreachable after all attempts", async () => {
    const [port] = await freePorts(1);
    const url = `http://127.0.0.1:${port}/-/reload`;
    const hook = hookOf(url);
    assert.deepEqual(await hook.deliver(), {
      kind: "unreachable",
      message: `vllm cannot be reached (ECONNREFUSED) on ${url} (attempt 3 of 3)`,
    });
    assert.deepEqual(
      hook.attempts.map(({ result }) => result),
      ["unreachable", "unreachable", "unreachable"],
    );
  });

  it("is unreachable where its socket file is absent", async (t) => {
    const socketPath = join(await useFolder(t), "none.sock");
    const url = "http://localhost/-/reload";
    assert.deepEqual(await hookOf(url, { socketPath }).deliver(), {
      kind: "unreachable",
      message: `vllm cannot be reached (ENOENT) on ${url} through ${socketPath} (attempt 3 of 3)`,
    });
  });

  it("is told when it comes up between attempts", async (t) => {
    const [port = 0] = await freePorts(1);
    const url = `http://127.0.0.1:${port}/-/reload`;
    const clock = patientClock(async () => void (await useHookReceiver(t, { port })));
    assert.deepEqual(await hookOf(url, { attempts: 2 }, clock).deliver(), { kind: "done" });
  });
});

describe("a unix socket", () => {
  it("takes hooks", async (t) => {
    const socketPath = join(await useFolder(t), "vllm.sock");
    const receiver = await useHookReceiver(t, { socketPath });
    assert.deepEqual(await hookOf(receiver.url, { socketPath }).deliver(), { kind: "done" });
    assert.equal(receiver.hooks[0]?.headers.host, "localhost");
  });
});

describe("a service that does not answer", () => {
  it("times out, and is tried again", async (t) => {
    let calls = 0;
    const receiver = await useHookReceiver(t, {
      answer: (_hook, respond) => {
        if (++calls >= 2) respond.writeHead(204).end();
      },
    });
    // More attempts than are needed: a busy machine may let another one run out of time.
    const hook = hookOf(receiver.url, { timeoutMs: 100, attempts: 20 });
    assert.deepEqual(await hook.deliver(), { kind: "done" });
    const [first, last] = [hook.attempts[0], hook.attempts.at(-1)];
    assert.deepEqual(
      [first?.result, first?.message, last?.result],
      ["timeout", `vllm did not answer within 100 ms on ${receiver.url}`, "delivered"],
    );
  });

  it("is busy: running out of time is neither refusal nor absence", async (t) => {
    const receiver = await useHookReceiver(t, { answer: () => undefined });
    const answer = await hookOf(receiver.url, { timeoutMs: 50, attempts: 2 }).deliver();
    assert.equal(answer.kind, "busy");
  });
});

describe("a service that never comes to its answer", () => {
  for (const [what, drop] of [
    ["asks for patience for ever", "HTTP/1.1 102 Processing\r\n\r\n"],
    ["hints for ever", "HTTP/1.1 103 Early Hints\r\nlink: </a>; rel=preload\r\n\r\n"],
    ["says that it may be sent the body for ever", "HTTP/1.1 100 Continue\r\n\r\n"],
    ["sends empty lines for ever", "\r\n"],
  ] as const) {
    it(`runs out of time where it ${what}, and the connection is closed`, async (t) => {
      const { url, closed } = await useDripping(t, "", drop);
      const hook = hookOf(url, { timeoutMs: 200, attempts: 1 });
      const answer = await hook.deliver();
      await closed;
      assert.deepEqual([answer.kind, hook.attempts.map(({ result }) => result)], ["busy", ["timeout"]]);
    });
  }

  it("runs out of time where its headers come drop by drop, and the connection is closed", async (t) => {
    const { url, closed } = await useDripping(t, "HTTP/1.1 200 OK\r\nx: ", "y");
    const hook = hookOf(url, { timeoutMs: 200, attempts: 1 });
    const answer = await hook.deliver();
    await closed;
    assert.deepEqual([answer.kind, hook.attempts.map(({ result }) => result)], ["busy", ["timeout"]]);
  });
});

describe("a service that answers badly", () => {
  for (const [what, behave] of [
    ["hangs up", (socket: Socket) => socket.destroy()],
    ["resets the connection", (socket: Socket) => socket.resetAndDestroy()],
    ["does not speak HTTP", (socket: Socket) => socket.end("220 mail ESMTP\r\n")],
    ["ends within the headers", (socket: Socket) => socket.end("HTTP/1.1 200 OK\r\ncontent-")],
    [
      "sends headers without end",
      (socket: Socket) => socket.write(`HTTP/1.1 200 OK\r\nx: ${"y".repeat(1 << 20)}`),
    ],
  ] as const) {
    it(`is tried again where it ${what}, and is then busy`, async (t) => {
      const hook = hookOf(await useTcp(t, behave), { attempts: 2 });
      const answer = await hook.deliver();
      assert.deepEqual([answer.kind, ...hook.attempts.map(({ result }) => result)], ["busy", "busy", "busy"]);
    });
  }

  for (const [what, listener] of [
    ["hangs after the headers", (_request, respond) => respond.writeHead(200).flushHeaders()],
    ["answers 50 MB", (_request, respond) => respond.end(Buffer.alloc(50 << 20))],
    ["answers 100 MB of zeros in 100 kB", (_request, respond) => sendBomb(respond)],
    ["closes the connection within the answer", (_request, respond) => breakOff(respond)],
    [
      "closes the connection within a chunk",
      (_request, respond) => respond.write("a", () => respond.destroy()),
    ],
    ["streams for ever", (_request, respond) => streamForEver(respond)],
  ] as readonly (readonly [string, RequestListener])[]) {
    it(`is done with its status where it ${what}, and the connection is closed`, async (t) => {
      const { url, closed } = await useHttp(t, listener);
      assert.deepEqual(await hookOf(url, { timeoutMs: 5_000 }).deliver(), { kind: "done" });
      await closed;
    });
  }

  it("is refused where it switches protocols", async (t) => {
    const hook = hookOf(await useTcp(t, (socket) => socket.write(SWITCH)));
    assert.equal((await hook.deliver()).kind, "failed");
    assert.deepEqual(
      hook.attempts.map(({ result }) => result),
      ["refused"],
    );
  });

  it("is done with its status where the answer comes drop by drop, and the connection is closed", async (t) => {
    const { url, closed } = await useDripping(t, "HTTP/1.1 200 OK\r\ncontent-length: 1000000\r\n\r\n", "x");
    assert.deepEqual(await hookOf(url, { timeoutMs: 5_000 }).deliver(), { kind: "done" });
    await closed;
  });
});

describe("what is said of a hook", () => {
  it("does not tell the query of its address, which could hold a token", async (t) => {
    const receiver = await useHookReceiver(t, {
      answer: (_hook, respond) => void respond.writeHead(404).end(),
    });
    const hook = hookOf(`${receiver.url}?token=s3cr3t`);
    const answer = await hook.deliver();
    assert.equal(answer.kind, "failed");
    assert.equal(JSON.stringify([answer, hook.attempts]).includes("s3cr3t"), false);
  });
});
