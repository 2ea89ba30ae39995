/** Mutual TLS: whom the new generation of a bundle removes is refused by its next connection, whatever it has kept. */
import assert from "node:assert/strict";
import { constants, X509Certificate } from "node:crypto";
import { describe, it, type TestContext } from "node:test";
import { type Minted, mint, mintAuthority } from "../support/mint.ts";
import { ask } from "../support/mutual-client.ts";
import { MUTUAL_SERVERS, type ServerKind } from "../support/mutual-servers.ts";
import { type TurningBundle, useSource, useTurningBundle } from "../support/turning-bundle.ts";

/** Two generations of a bundle, and what the second one changes. */
interface Removal {
  /** Whom the second generation removes, and whom it does not. */
  readonly removed: Minted;
  readonly kept: Minted;
  first(bundle: TurningBundle): Promise<unknown>;
  second(bundle: TurningBundle): Promise<unknown>;
}

const REMOVALS = {
  "its authority is replaced": () => {
    const [before, after] = [mintAuthority("Clients"), mintAuthority("Clients of today")];
    return {
      removed: mint({ issuer: before, subject: "removed" }),
      kept: mint({ issuer: after, subject: "kept" }),
      first: (bundle) => bundle.turn({ anchors: [before] }),
      second: (bundle) => bundle.turn({ anchors: [after] }),
    };
  },
  "a CRL revokes it": () => {
    const issuer = mintAuthority("Clients");
    const [removed, kept] = [mint({ issuer, subject: "removed" }), mint({ issuer, subject: "kept" })];
    return {
      removed,
      kept,
      first: (bundle) => bundle.turn({ anchors: [issuer], crl: { issuer } }),
      second: (bundle) => bundle.turn({ anchors: [issuer], crl: { issuer, revoked: [removed] } }),
    };
  },
} satisfies Record<string, () => Removal>;

const WAYS = Object.keys(REMOVALS) as (keyof typeof REMOVALS)[];

/** All that a cell of the table does; the server presents one bundle, and may trust by another. */
async function showRemoval(t: TestContext, cell: Cell): Promise<void> {
  const { kind, version, how, byTrust = false, secureOptions = 0 } = cell;
  const { removed, kept, first, second } = REMOVALS[how]();
  const bundle = await useTurningBundle(t);
  const clients = byTrust ? await useTurningBundle(t, "clients") : bundle;
  if (byTrust) await bundle.turn();
  await first(clients);
  const source = await useSource(t, bundle.dir);
  const trust = byTrust ? await useSource(t, clients.dir) : undefined;
  const server = await MUTUAL_SERVERS[kind](t, { source, trust, version });
  const asking = { client: removed, ca: bundle.root.pem, secureOptions };

  const full = await ask(server, asking);
  const resumed = await ask(server, { ...asking, session: full.session });
  assert.deepEqual([full.isAnswered, full.isResumed], [true, false]);
  assert.deepEqual([resumed.isAnswered, resumed.isResumed], [true, true], "else the session shows nothing");
  await second(clients);
  await (trust ?? source).reload();

  for (const session of [full.session, resumed.session ?? full.session, undefined]) {
    const { isAnswered } = await ask(server, { ...asking, session });
    assert.equal(isAnswered, false, session === undefined ? "without a session" : "with an old session");
  }
  assert.equal((await ask(server, { ...asking, client: kept })).isAnswered, true, "the other client");
  const passed = [removed, removed, kept].map(({ der }) => new X509Certificate(der).fingerprint256);
  assert.deepEqual(server.passed, passed);
}

interface Cell {
  readonly kind: ServerKind;
  readonly version: "TLSv1.2" | "TLSv1.3";
  readonly how: keyof typeof REMOVALS;
  /** Whether another bundle than the one that is presented says who is trusted. */
  readonly byTrust?: boolean;
  readonly secureOptions?: number;
}

describe("a client that was removed is refused, with its old session too", () => {
  for (const kind of ["tls", "https", "http2", "grpc", "https, by name"] as const) {
    for (const how of WAYS) {
      for (const version of ["TLSv1.2", "TLSv1.3"] as const) {
        it(`by ${kind}, ${version}: ${how}`, (t) => showRemoval(t, { kind, version, how }));
      }
    }
  }

  for (const how of WAYS) {
    for (const kind of ["tls", "grpc", "https, by name"] as const) {
      it(`by ${kind} with a bundle of trust: ${how}`, (t) =>
        showRemoval(t, { kind, version: "TLSv1.3", how, byTrust: true }));
    }

    it(`by a server that keeps sessions itself: ${how}`, (t) =>
      showRemoval(t, {
        kind: "tls, which keeps sessions itself",
        version: "TLSv1.2",
        how,
        secureOptions: constants.SSL_OP_NO_TICKET,
      }));
  }
});
