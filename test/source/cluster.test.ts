import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { useEtcdCluster } from "../support/etcd-cluster.ts";
import { follow } from "../support/follow.ts";
import { hurriedClock } from "../support/hurried-clock.ts";
import { until } from "../support/wait.ts";
import { useWriter } from "../support/writer.ts";

describe("a cluster of three members", () => {
  it("is left by the watch where the member lost its leader, and taken up again with the leader", async (t) => {
    const [member, ...others] = await useEtcdCluster(t);
    assert.ok(member !== undefined);
    const writer = useWriter(t, member.endpoint);
    const following = follow(t, { access: { endpoints: [member.endpoint] } });
    await following.untilRevision(await writer.put("/certs/a", "one"));

    for (const other of others) other.freeze();
    const [lost] = await until("it is noticed", () => {
      const reports = following.reported("etcd.disconnected");
      return reports.length > 0 && reports;
    });
    for (const other of others) other.wake();
    await until("there is a leader again", () =>
      writer.put("/certs/b", "two").then(
        () => true,
        () => false,
      ),
    );
    await following.untilContent({ "/certs/a": "one", "/certs/b": "two" });

    assert.match(lost?.message ?? "", /no leader/);
    assert.deepEqual(
      following.causes().filter((cause) => cause !== "watch"),
      ["start"],
    );
    assert.deepEqual(following.breaches, []);
  });

  it("is followed through another member where one hangs", async (t) => {
    const members = await useEtcdCluster(t);
    const endpoints = members.map(({ endpoint }) => endpoint);
    const following = follow(t, { access: { endpoints }, clock: hurriedClock(5) });
    await following.untilSeen(1);

    const inUse = following.reported("etcd.connected").at(-1)?.endpoint;
    members.find(({ endpoint }) => endpoint === inUse)?.freeze();
    const writer = useWriter(t, endpoints.find((endpoint) => endpoint !== inUse) ?? "");
    await until("there is a leader", () =>
      writer.put("/certs/a", "one").then(
        () => true,
        () => false,
      ),
    );
    await following.untilContent({ "/certs/a": "one" });

    assert.notEqual(following.reported("etcd.connected").at(-1)?.endpoint, inUse);
    assert.deepEqual(following.breaches, []);
  });
});
