import assert from "node:assert/strict";
import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, it, type TestContext } from "node:test";
import { type Clock, systemClock } from "../../src/runtime/clock.ts";
import { useEtcd } from "../support/etcd.ts";
import { useFolder } from "../support/folder.ts";
import { type FollowOptions, follow } from "../support/follow.ts";
import { PASSWORD, useGuardedEtcd } from "../support/guarded-etcd.ts";
import { hurriedClock } from "../support/hurried-clock.ts";
import { until } from "../support/wait.ts";

describe("an etcd that asks who is there", () => {
  it("is read with a user that may read the prefix, and nothing else", async (t) => {
    const { put, start } = await useReader(t);
    await put("/certs/a", "one");
    await put("/secrets/a", "hidden");

    const following = start();
    await following.untilContent({ "/certs/a": "one" });
    await put("/certs/a", "two");
    await following.untilContent({ "/certs/a": "two" });

    assert.deepEqual(following.reported("etcd.disconnected"), []);
    assert.deepEqual(following.breaches, []);
  });

  it("is read again after a restart, which forgets every token", async (t) => {
    const { etcd, put, start } = await useReader(t);
    const following = start();
    await following.untilSeen(1);

    await etcd.kill();
    await etcd.restart();
    await put("/certs/a", "one");
    await following.untilContent({ "/certs/a": "one" });

    assert.deepEqual(
      new Set(following.reported("etcd.disconnected").map(({ code }) => code)),
      new Set(["ETCD_UNAVAILABLE"]),
    );
    assert.deepEqual(following.breaches, []);
  });

  it("is followed past the life of a token", async (t) => {
    const { put, start } = await useReader(t, ["--auth-token-ttl", "1"]);
    const following = start({ resyncEveryMs: 1_500 });

    await until(
      "it was listed four times",
      () => following.causes().filter((cause) => cause === "periodic").length >= 3,
    );
    await put("/certs/a", "one");
    await following.untilContent({ "/certs/a": "one" });

    assert.deepEqual(following.reported("etcd.disconnected"), []);
    assert.deepEqual(following.breaches, []);
  });

  it("is signed in to again where the token dies between the listing and the watch", async (t) => {
    const { changePassword, put, start, passwordFile } = await useReader(t);
    const gate = { isOpen: false };
    const work = () => until("the gate is open", () => gate.isOpen).then(() => undefined);
    const following = start({ work });
    await following.untilSeen(1);

    await changePassword("another");
    await writeFile(passwordFile, "another\n");
    gate.isOpen = true;
    await put("/certs/a", "one");
    await following.untilContent({ "/certs/a": "one" });

    const codes = following.reported("etcd.disconnected").map(({ code }) => code);
    assert.ok(!codes.includes("ETCD_DENIED"), codes.join());
    assert.deepEqual(following.breaches, []);
  });

  it("says that a password is wrong, and connects when the file is put right", async (t) => {
    const { put, start, passwordFile } = await useReader(t);
    await put("/certs/a", "one");
    await writeFile(passwordFile, "wrong");

    const following = start();
    const [denied] = await until("it is denied twice", () => twoOf(following.reported("etcd.disconnected")));
    await writeFile(passwordFile, PASSWORD);
    await following.untilContent({ "/certs/a": "one" });

    assert.equal(denied?.code, "ETCD_DENIED");
    assert.match(denied?.message ?? "", /authentication failed.*etcd\.passwordFile/);
    assert.doesNotMatch(JSON.stringify(following.events), /wrong|reader-password/);
    assert.deepEqual(
      new Set(following.reported("etcd.disconnected").map(({ code }) => code)),
      new Set(["ETCD_DENIED"]),
    );
  });

  it("is not made to wait where another password was put in place", async (t) => {
    const { put, start, passwordFile } = await useReader(t);
    await put("/certs/a", "one");
    await writeFile(passwordFile, "wrong");
    // The longest wait that chance may draw, of which only short pieces ever end.
    t.mock.method(Math, "random", () => 0.999);
    const sleep: Clock["sleep"] = (ms, signal) =>
      ms > 1_000 ? once(signal, "abort").then(() => signal.throwIfAborted()) : systemClock.sleep(1, signal);

    const following = start({ clock: { ...systemClock, sleep } });
    await until("it is denied", () => oneOf(following.reported("etcd.disconnected")));
    await writeFile(passwordFile, PASSWORD);

    await following.untilContent({ "/certs/a": "one" });
  });

  it("says that there is no user where none is configured", async (t) => {
    const { etcd } = await useReader(t);

    const following = follow(t, { access: { endpoints: [etcd.endpoint] } });
    const [denied] = await until("it is denied", () => oneOf(following.reported("etcd.disconnected")));

    assert.equal(denied?.code, "ETCD_DENIED");
    assert.match(denied?.message ?? "", /etcd\.username/);
  });

  it("says that a user may not read the prefix", async (t) => {
    const { start } = await useReader(t);

    const following = start({ prefix: "/secrets/" });
    const [denied] = await until("it is denied", () => oneOf(following.reported("etcd.disconnected")));

    assert.equal(denied?.code, "ETCD_DENIED");
    assert.match(denied?.message ?? "", /permission denied.*role's rights/);
  });

  it("shows with the regular look that the right to read was taken away, and goes on when it is given back", async (t) => {
    const { grant, revoke, put, start } = await useReader(t);
    await put("/certs/a", "one");
    const following = start({ resyncEveryMs: 500 });
    await following.untilContent({ "/certs/a": "one" });

    await revoke();
    await until("it is denied", () =>
      following.reported("etcd.disconnected").some(({ code }) => code === "ETCD_DENIED"),
    );
    await put("/certs/a", "two");
    await grant();
    await following.untilContent({ "/certs/a": "two" });

    assert.deepEqual(following.breaches, []);
  });

  it("says so where a user is configured and etcd does not ask for one", async (t) => {
    const etcd = await useEtcd(t);
    const folder = await useFolder(t);
    const passwordFile = join(folder, "password");
    await writeFile(passwordFile, "any");

    const following = follow(t, {
      access: { endpoints: [etcd.endpoint], username: "keyturn", passwordFile },
    });
    const [denied] = await until("it is denied", () => oneOf(following.reported("etcd.disconnected")));

    assert.equal(denied?.code, "ETCD_DENIED");
    assert.match(denied?.message ?? "", /authentication is not enabled/);
  });

  it("is a matter of configuration where the password cannot be read", async (t) => {
    const { start, passwordFile, etcd } = await useReader(t);

    const access = {
      endpoints: [etcd.endpoint],
      username: "keyturn",
      passwordFile: `${passwordFile}.not-there`,
    };
    const following = start({ access });
    const [failed] = await until("it failed", () => oneOf(following.reported("etcd.disconnected")));

    assert.equal(failed?.code, "CONFIG_INVALID");
    assert.match(failed?.message ?? "", /password\.not-there/);
  });
});

function oneOf<T>(list: readonly T[]): readonly T[] | undefined {
  return list.length >= 1 ? list : undefined;
}

function twoOf<T>(list: readonly T[]): readonly T[] | undefined {
  return list.length >= 2 ? list : undefined;
}

async function useReader(t: TestContext, etcdArguments: readonly string[] = []) {
  const guarded = await useGuardedEtcd(t, etcdArguments);
  const { access, writer } = guarded;
  return {
    ...guarded,
    put: writer.put,
    passwordFile: access.passwordFile,
    start: (options: Partial<FollowOptions> = {}) =>
      follow(t, { access, clock: hurriedClock(5), ...options }),
  };
}
