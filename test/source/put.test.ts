import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, it, type TestContext } from "node:test";
import { openKeys } from "../../src/source/put.ts";
import type { Change } from "../../src/source/transaction.ts";
import { useEtcd } from "../support/etcd.ts";
import { useFolder } from "../support/folder.ts";
import { useGuardedEtcd } from "../support/guarded-etcd.ts";
import { usePutGate } from "../support/put-gate.ts";
import { useTlsEtcd } from "../support/tls-etcd.ts";
import { until } from "../support/wait.ts";
import { useWriter } from "../support/writer.ts";

const DEAD = "http://127.0.0.1:1";
const NEVER = new AbortController().signal;
const PEM = "-----BEGIN CERTIFICATE-----";

function changeOf(
  puts: Readonly<Record<string, string | Buffer>>,
  asRead: Readonly<Record<string, number>>,
  deletes: readonly string[] = [],
): Change {
  const values = Object.entries(puts).map(([key, value]) => [key, Buffer.from(value)] as const);
  return { puts: new Map(values), deletes, asRead: new Map(Object.entries(asRead)) };
}

async function setUp(t: TestContext, ...etcdArguments: readonly string[]) {
  const etcd = await useEtcd(t, etcdArguments);
  const writer = useWriter(t, etcd.endpoint);
  return { etcd, writer, keys: openKeys({ endpoints: [etcd.endpoint] }) };
}

describe("reading keys", () => {
  it("gives those that are there, and the revision of the store", async (t) => {
    const { writer, keys } = await setUp(t);
    const first = await writer.put("/certs/a", "one");
    const last = await writer.put("/certs/b", "two");

    const { revision, entries } = await keys.read(["/certs/a", "/certs/none"], NEVER);

    assert.equal(revision, last);
    assert.deepEqual([...entries.keys()], ["/certs/a"]);
    assert.equal(entries.get("/certs/a")?.modRevision, first);
    assert.equal(Buffer.from(entries.get("/certs/a")?.value ?? []).toString(), "one");
  });

  it("goes on to the next endpoint where one is dead", async (t) => {
    const { etcd, writer } = await setUp(t);
    await writer.put("/certs/a", "one");

    const { entries } = await openKeys({ endpoints: [DEAD, etcd.endpoint] }).read(["/certs/a"], NEVER);

    assert.equal(entries.size, 1);
  });

  it("names every endpoint that does not answer, and what to look at", async () => {
    const keys = openKeys({ endpoints: [DEAD, "http://127.0.0.1:2"] });

    await assert.rejects(keys.read(["/certs/a"], NEVER), {
      code: "ETCD_UNAVAILABLE",
      message: /127\.0\.0\.1:1: .*\n.*127\.0\.0\.1:2: .*\nis etcd running, and is etcd\.endpoints right\?$/,
    });
  });

  it("tells a refusal before silence", async (t) => {
    const { access } = await useGuardedEtcd(t);
    const wrong = join(await useFolder(t), "password");
    await writeFile(wrong, "wrong\n");
    const keys = openKeys({ ...access, passwordFile: wrong, endpoints: [DEAD, ...access.endpoints] });

    await assert.rejects(keys.read(["/certs/a"], NEVER), {
      code: "ETCD_DENIED",
      message: /etcd\.passwordFile/,
    });
  });

  it("says which file of the configuration cannot be read", async () => {
    const keys = openKeys({ endpoints: [DEAD], username: "a", passwordFile: "/no/such/file" });

    await assert.rejects(keys.read(["/certs/a"], NEVER), {
      code: "CONFIG_INVALID",
      message: /\/no\/such\/file/,
    });
  });

  it("uses the TLS of the configuration", async (t) => {
    const { endpoint, tls } = await useTlsEtcd(t);
    const keys = openKeys({ endpoints: [endpoint], tls });

    const changed = await keys.change(changeOf({ "/certs/a": "one" }, { "/certs/a": 0 }), NEVER);

    assert.equal(changed.kind, "written");
    assert.equal((await keys.read(["/certs/a"], NEVER)).entries.size, 1);
  });
});

describe("changing keys", () => {
  it("puts and deletes at one revision, which it gives", async (t) => {
    const { etcd, writer, keys } = await setUp(t);
    const old = await writer.put("/certs/a", "one");

    const asRead = { "/certs/a": old, "/certs/a/tls.crt": 0, "/certs/a/tls.key": 0 };
    const change = changeOf({ "/certs/a/tls.crt": "crt", "/certs/a/tls.key": "key" }, asRead, ["/certs/a"]);
    const changed = await keys.change(change, NEVER);

    assert.deepEqual(changed, { kind: "written", revision: old + 1 });
    assert.equal(await etcd.revision(), old + 1);
    assert.deepEqual(await writer.content(), { "/certs/a/tls.crt": "crt", "/certs/a/tls.key": "key" });
  });

  for (const [what, asRead] of [
    ["was changed", (revision: number) => ({ "/certs/a": revision - 1, "/certs/b": 0 })],
    ["came", () => ({ "/certs/a": 0, "/certs/b": 0 })],
    ["went", (revision: number) => ({ "/certs/a": revision, "/certs/b": revision })],
  ] as const) {
    it(`writes nothing where a key ${what} meanwhile, and names it`, async (t) => {
      const { writer, keys } = await setUp(t);
      await writer.put("/certs/a", "one");
      const revision = await writer.put("/certs/a", "two");

      const changed = await keys.change(changeOf({ "/certs/c": "three" }, asRead(revision)), NEVER);

      assert.deepEqual(changed, { kind: "conflict", keys: [what === "went" ? "/certs/b" : "/certs/a"] });
      assert.deepEqual(await writer.content(), { "/certs/a": "two" });
    });
  }

  it("finds its own work where only the answer was lost, and puts nothing twice", async (t) => {
    const { etcd, writer } = await setUp(t);
    const gate = await usePutGate(t, etcd.endpoint);
    const keys = openKeys({ endpoints: [gate.endpoint, etcd.endpoint] });

    const changing = keys.change(changeOf({ "/certs/a": PEM }, { "/certs/a": 0 }), NEVER);
    await gate.arrived;
    gate.openOneWay();
    await until("etcd has it", async () => (await writer.content())["/certs/a"] === PEM);
    gate.cut();

    const revision = await etcd.revision();
    assert.deepEqual(await changing, { kind: "written", revision });
  });

  it("says of what it finds after a lost answer that it is another's, where it is not its own", async (t) => {
    const { etcd, writer } = await setUp(t);
    const gate = await usePutGate(t, etcd.endpoint);
    const keys = openKeys({ endpoints: [gate.endpoint, etcd.endpoint] });

    const changing = keys.change(changeOf({ "/certs/a": PEM }, { "/certs/a": 0 }), NEVER);
    await gate.arrived;
    await writer.put("/certs/a", "another's");
    gate.cut();

    assert.deepEqual(await changing, { kind: "conflict", keys: ["/certs/a"] });
    assert.deepEqual(await writer.content(), { "/certs/a": "another's" });
  });

  it("says that it is not known whether it was written where no answer comes any more", async (t) => {
    const { etcd } = await setUp(t);
    const gate = await usePutGate(t, etcd.endpoint);
    const keys = openKeys({ endpoints: [gate.endpoint] });

    const changing = keys.change(changeOf({ "/certs/a": PEM }, { "/certs/a": 0 }), NEVER);
    await gate.arrived;
    await etcd.kill();
    gate.cut();

    await assert.rejects(changing, {
      code: "ETCD_UNAVAILABLE",
      message: /whether it was written is not known/,
    });
  });

  it("says in etcd's words which limit it is over, and writes nothing", async (t) => {
    const { writer, keys } = await setUp(t);
    const [half, large] = [Buffer.alloc(900_000, 65), Buffer.alloc(3 << 20, 65)];

    const two = await keys.change(changeOf({ "/certs/a": half, "/certs/b": half }, { "/certs/a": 0 }), NEVER);
    const one = await keys.change(changeOf({ "/certs/a": large }, { "/certs/a": 0 }), NEVER);

    assert.deepEqual(two, { kind: "overLimit", words: "etcdserver: request is too large" });
    assert.equal(one.kind, "overLimit");
    assert.deepEqual(await writer.content(), {});
  });

  it("says which limit it is over where etcd allows few operations", async (t) => {
    const { keys } = await setUp(t, "--max-txn-ops", "1");

    const changed = await keys.change(
      changeOf({ "/certs/a": "a", "/certs/b": "b" }, { "/certs/a": 0 }),
      NEVER,
    );

    assert.deepEqual(changed, { kind: "overLimit", words: "etcdserver: too many operations in txn request" });
  });

  it("tells a user that may only read what is missing", async (t) => {
    const { access, writer } = await useGuardedEtcd(t);
    const keys = openKeys(access);
    await keys.read(["/certs/a"], NEVER);

    await assert.rejects(keys.change(changeOf({ "/certs/a": "a" }, { "/certs/a": 0 }), NEVER), {
      code: "ETCD_DENIED",
      message:
        /lets the user keyturn read these keys, and not write them; put as a user whose role may read and write/,
    });
    assert.deepEqual(await writer.content(), {});
  });

  it("ends at once when it is told to", async (t) => {
    const { etcd } = await setUp(t);
    const gate = await usePutGate(t, etcd.endpoint);
    const stopping = new AbortController();
    const keys = openKeys({ endpoints: [gate.endpoint, etcd.endpoint] });

    const changing = keys.change(changeOf({ "/certs/a": PEM }, { "/certs/a": 0 }), stopping.signal);
    await gate.arrived;
    stopping.abort(new Error("enough"));

    await assert.rejects(changing, /enough/);
  });
});
