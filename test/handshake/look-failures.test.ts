/** Every way in which a look fails, by real services that do so. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { once } from "node:events";
import { createServer as createHttpServer } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { describe, it } from "node:test";
import { createServer } from "node:tls";
import type { HandshakeFailure, IdentityPem, Look, Sight } from "../../src/core/handshake.ts";
import { Secret } from "../../src/core/secret.ts";
import { createContexts } from "../../src/handshake/contexts.ts";
import { look } from "../../src/handshake/look.ts";
import { manualClock } from "../support/manual-clock.ts";
import { type Minted, mint, mintAuthority } from "../support/mint.ts";
import { until } from "../support/wait.ts";
import { bareLookOf, lookOf, servedBy, useOpenssl, useTalker, useTls } from "./servers.ts";

/** Where time stands still, what does not come is waited for without end. */
const FINITE = { timeout: 120_000 };
const VERSIONS = ["TLSv1.2", "TLSv1.3"] as const;
/** Plain alerts: a record of two bytes (RFC 8446 §6). */
const HANDSHAKE_FAILURE = Buffer.from("15030300020228", "hex");
const PROTOCOL_VERSION = Buffer.from("15030300020246", "hex");
const INTERNAL_ERROR = Buffer.from("15030300020250", "hex");
const HAS_OPENSSL = spawnSync("openssl", ["version"]).status === 0;

const root = mintAuthority("Root");
const leaf = mint({ issuer: root });
const client = identityOf(mint({ subject: "client", issuer: root }));
const stranger = identityOf(mint({ subject: "client", issuer: mintAuthority("Other") }));

describe("a look fails", FINITE, () => {
  it("where nobody listens", async () => {
    await fails(lookOf(1), "refused", /127\.0\.0\.1:1: nobody listens there \(connect ECONNREFUSED/);
  });

  it("where nobody listens on any address of a name", async () => {
    await fails(lookOf(1, { host: "localhost" }), "refused", /ECONNREFUSED/);
  });

  it("where the name of the host is unknown", async () => {
    await fails(lookOf(443, { host: "nobody.invalid" }), "refused", /nobody\.invalid/);
  });

  for (const [what, talk, reason] of [
    ["says nothing and hangs up", (socket: Socket) => socket.end(), "reset"],
    ["hangs up when it is greeted", (socket) => socket.once("data", () => socket.end()), "reset"],
    ["resets the connection", (socket) => socket.once("data", () => socket.resetAndDestroy()), "reset"],
    ["speaks SSH", (socket) => socket.write("SSH-2.0-OpenSSH_9.2\r\n"), "protocol"],
    [
      "answers with an alert of its own",
      (socket) => socket.once("data", () => socket.end(INTERNAL_ERROR)),
      "protocol",
    ],
    [
      "has no cipher for us",
      (socket) => socket.once("data", () => socket.end(HANDSHAKE_FAILURE)),
      "no_shared_cipher",
    ],
    [
      "has no version for us",
      (socket) => socket.once("data", () => socket.end(PROTOCOL_VERSION)),
      "no_shared_cipher",
    ],
  ] as const satisfies readonly (readonly [string, (socket: Socket) => unknown, HandshakeFailure])[]) {
    it(`where the service ${what}`, async (t) => {
      await fails(lookOf(await useTalker(t, talk)), reason);
    });
  }

  it("where the service speaks HTTP", async (t) => {
    const server = createHttpServer((_, response) => response.end("hello"));
    server.listen(0, "127.0.0.1");
    t.after(() => server.close());
    await once(server, "listening");
    await fails(lookOf((server.address() as AddressInfo).port), "protocol", /not TLS/);
  });

  it("where the service has no certificate", async (t) => {
    await fails(lookOf(await useTls(t, {})), "no_shared_cipher");
  });

  it("where the service knows only versions of TLS that are broken", async (t) => {
    const old = { minVersion: "TLSv1", maxVersion: "TLSv1.1", ciphers: "DEFAULT@SECLEVEL=0" } as const;
    await fails(lookOf(await useTls(t, { ...servedBy([leaf]), ...old })), "no_shared_cipher");
  });

  it("where the service says nothing for as long as it may take", async (t) => {
    const clock = manualClock();
    let greeted = false;
    const port = await useTalker(t, (socket) => socket.once("data", () => (greeted = true)));
    const sight = look(bareLookOf(lookOf(port, { timeoutMs: 5_000 })), createContexts(), clock);
    await until("the service was greeted", () => greeted);
    clock.advance(5_000);
    assert.deepEqual(failureIn(await sight), [
      "timeout",
      `127.0.0.1:${port}: it does not answer in time (nothing within 5000 ms)`,
    ]);
  });
});

describe("a client certificate", FINITE, () => {
  for (const version of VERSIONS) {
    const asking = {
      ...servedBy([leaf]),
      ca: root.pem,
      requestCert: true,
      minVersion: version,
      maxVersion: version,
    };

    it(`is presented where the service asks for one, over ${version}`, async (t) => {
      const seen: (string | undefined)[] = [];
      const server = createServer(asking, (socket) => {
        socket.on("error", () => socket.destroy());
        seen.push(socket.getPeerX509Certificate()?.subject);
      });
      server.listen(0, "127.0.0.1");
      t.after(() => server.close());
      await once(server, "listening");
      const { port } = server.address() as AddressInfo;
      assert.equal((await lookOnce(lookOf(port, { client }))).kind, "served");
      await until("the service has seen it", () => seen.length > 0);
      assert.deepEqual(seen, ["CN=client"]);
    });

    it(`is refused by a service that only hangs up, over ${version}`, async (t) => {
      const port = await useTls(t, asking);
      await fails(lookOf(port, { client: stranger }), "client_cert_refused", /without an alert/);
    });

    it(`is missing, over ${version}`, async (t) => {
      await fails(lookOf(await useTls(t, asking)), "client_cert_refused", /asks for one and got none/);
    });

    it(`is refused within the handshake, over ${version}`, { skip: !HAS_OPENSSL }, async (t) => {
      const only = version === "TLSv1.2" ? "-tls1_2" : "-tls1_3";
      const port = await useOpenssl(t, leaf, root.pem, only, "-Verify", "3", "-verify_return_error");
      await fails(lookOf(port, { client: stranger }), "client_cert_refused", /unknown ca/);
      assert.equal((await lookOnce(lookOf(port, { client }))).kind, "served");
    });
  }

  it("that OpenSSL does not load on our side is refused too", async (t) => {
    const mixed: IdentityPem = { chain: mint().pem, key: new Secret(mint().keyPem) };
    const port = await useTls(t, servedBy([leaf]));
    await fails(lookOf(port, { client: mixed }), "client_cert_refused", /on our side: key values mismatch/);
  });
});

describe("a service that sends no session tickets", { ...FINITE, skip: !HAS_OPENSSL }, () => {
  it("is not waited for where there is no client certificate it could refuse", async (t) => {
    const port = await useOpenssl(t, leaf, root.pem, "-tls1_3", "-num_tickets", "0");
    assert.equal((await lookOnce(lookOf(port))).kind, "served");
  });

  it("says in the same way that it wants a client certificate", async (t) => {
    const port = await useOpenssl(t, leaf, root.pem, "-tls1_3", "-num_tickets", "0", "-Verify", "3");
    await fails(lookOf(port), "client_cert_refused", /certificate required/);
  });

  it("is given a while to refuse a client certificate, and then has taken it", async (t) => {
    const clock = manualClock();
    const port = await useOpenssl(t, leaf, root.pem, "-tls1_3", "-num_tickets", "0", "-Verify", "3");
    const sight = look(bareLookOf(lookOf(port, { client })), createContexts(), clock);
    await until("it waits for the word of the service", () => clock.sleeping.includes(1_000));
    clock.advance(1_000);
    assert.equal((await sight).kind, "served");
  });

  it("refuses a client certificate all the same", async (t) => {
    const refusing = ["-tls1_3", "-num_tickets", "0", "-Verify", "3", "-verify_return_error"];
    const port = await useOpenssl(t, leaf, root.pem, ...refusing);
    await fails(lookOf(port, { client: stranger }), "client_cert_refused", /unknown ca/);
  });
});

async function fails(asked: Look, reason: HandshakeFailure, message = /./): Promise<void> {
  const [foundReason, foundMessage] = failureIn(await lookOnce(asked));
  assert.equal(foundReason, reason, foundMessage);
  assert.match(foundMessage, message);
}

function failureIn(sight: Sight): readonly [reason: string, message: string] {
  return sight.kind === "failed" ? [sight.reason, sight.message] : [sight.kind, ""];
}

/** Time stands still: what is told has come from the service. */
function lookOnce(asked: Look): Promise<Sight> {
  return look(bareLookOf(asked), createContexts(), manualClock());
}

function identityOf({ pem, keyPem }: Minted): IdentityPem {
  return { chain: pem, key: new Secret(keyPem) };
}
