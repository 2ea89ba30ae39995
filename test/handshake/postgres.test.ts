import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import { once } from "node:events";
import type { Socket } from "node:net";
import { describe, it, type TestContext } from "node:test";
import { createServer } from "node:tls";
import type { HandshakeFailure, Look, Sight } from "../../src/core/handshake.ts";
import { createContexts } from "../../src/handshake/contexts.ts";
import { look } from "../../src/handshake/look.ts";
import { manualClock } from "../support/manual-clock.ts";
import { mint } from "../support/mint.ts";
import { until } from "../support/wait.ts";
import { bareLookOf, lookOf, servedBy, useTalker } from "./servers.ts";

/** Where time stands still, what does not come is waited for without end. */
const FINITE = { timeout: 120_000 };
const leaf = mint();

describe("a look at a service that speaks PostgreSQL's protocol", FINITE, () => {
  for (const version of ["TLSv1.2", "TLSv1.3"] as const) {
    it(`asks for TLS, and sees the leaf that is served, over ${version}`, async (t) => {
      const asked: Buffer[] = [];
      const server = createServer({ ...servedBy([leaf]), minVersion: version, maxVersion: version });
      server.on("tlsClientError", () => undefined);
      server.on("secureConnection", (socket) => socket.on("error", () => undefined).resume());
      const port = await usePostgres(t, (socket, request) => {
        asked.push(request);
        socket.write("S");
        server.emit("connection", socket);
      });
      const sight = await lookOnce(askFor(port));
      const { fingerprint256 } = new X509Certificate(leaf.pem);
      assert.equal(sight.kind === "served" && sight.fingerprint256, fingerprint256);
      assert.deepEqual(asked, [Buffer.from([0, 0, 0, 8, 4, 210, 22, 47])]);
    });
  }

  for (const [what, answer, reason, message] of [
    ["has no TLS", (socket: Socket) => socket.write("N"), "protocol", /has no TLS: set ssl = on/],
    ["speaks something else", (socket) => socket.write("SSH-2.0-x\r\n"), "protocol", /as PostgreSQL does/],
    ["sends an error", (socket) => socket.end("E\0\0\0\x20SFATAL"), "protocol", /as PostgreSQL does/],
    ["puts something before TLS", (socket) => socket.write("S\x16\x03"), "protocol", /as PostgreSQL does/],
    ["hangs up", (socket) => socket.end(), "reset", /the connection was closed/],
    ["resets the connection", (socket) => socket.resetAndDestroy(), "reset", /ECONNRESET/],
    ["hangs up after it said yes", (socket) => socket.end("S"), "reset", /closed|disconnected/],
  ] as const satisfies readonly (readonly [string, (s: Socket) => unknown, HandshakeFailure, RegExp])[]) {
    it(`fails where it ${what}`, async (t) => {
      const port = await usePostgres(t, answer);
      const sight = await lookOnce(askFor(port));
      assert.equal(sight.kind === "failed" && sight.reason, reason);
      assert.match(sight.kind === "failed" ? sight.message : "", message);
    });
  }

  it("fails where nobody listens", async () => {
    const sight = await lookOnce(askFor(1));
    assert.equal(sight.kind === "failed" && sight.reason, "refused");
  });

  for (const [what, answer] of [
    ["does not answer", ""],
    ["says yes, and nothing more", "S"],
  ] as const) {
    it(`fails where it ${what} for as long as it may take, and hangs up`, async (t) => {
      const clock = manualClock();
      let [greeted, gone] = [false, false];
      const port = await usePostgres(t, (socket) => {
        socket.on("close", () => (gone = true));
        // What comes after it is the beginning of TLS.
        if (answer !== "") socket.once("data", () => (greeted = true)).write(answer);
        else greeted = true;
      });
      const sight = look(bareLookOf({ ...askFor(port), timeoutMs: 5_000 }), createContexts(), clock);
      await until("the service was greeted", () => greeted);
      clock.advance(5_000);
      const { kind, reason } = (await sight) as Extract<Sight, { readonly kind: "failed" }>;
      assert.deepEqual([kind, reason], ["failed", "timeout"]);
      await until("the connection is gone", () => gone);
    });
  }
});

/** What waits for the request of a client; gives its port. */
function usePostgres(t: TestContext, answer: (socket: Socket, request: Buffer) => unknown): Promise<number> {
  return useTalker(t, async (socket) => {
    const [request] = (await once(socket, "data")) as [Buffer];
    answer(socket, request);
    socket.resume();
  });
}

function askFor(port: number): Look {
  return lookOf(port, { protocol: "postgres" });
}

async function lookOnce(asked: Look): Promise<Sight> {
  return look(bareLookOf(asked), createContexts(), manualClock());
}
