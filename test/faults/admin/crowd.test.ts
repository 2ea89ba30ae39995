/** More clients of the admin server than it gives room, each of a kind that never goes by itself. */
import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { describe, it } from "node:test";
import { useDaemon } from "../../support/daemon.ts";
import { useFolder } from "../../support/folder.ts";
import { exchange, useRawClient } from "../../support/raw-client.ts";
import { until } from "../../support/wait.ts";

const GET = "GET /healthz HTTP/1.1\r\nhost: localhost\r\n";
/** As many as the server lets in, and some that it has open for itself by chance, such as to etcd. */
const ROOM = 64 + 16;

describe("a thousand clients of the admin server", () => {
  for (const [what, begin] of [
    ["say nothing", ""],
    ["never finish their headers", `${GET}x: `],
    ["never finish their body", `${GET}content-length: 4000\r\n\r\nx`],
    ["ask for the metrics and do not read", `${GET}\r\n`.replace("healthz", "metrics")],
  ] as const) {
    it(`keep nobody out where they ${what}, and all their descriptors come back`, async (t) => {
      const nobody = { endpoints: ["http://127.0.0.1:1"] };
      const daemon = await useDaemon(t, await useFolder(t), { etcd: nobody });
      const descriptors = () => readdirSync(`/proc/${daemon.process.pid}/fd`).length;
      const isHealthy = async () => {
        const answer = await exchange(t, daemon.adminUrl, `${GET}connection: close\r\n\r\n`);
        assert.match(answer, /^HTTP\/1\.1 200 /);
      };
      await isHealthy();
      const before = descriptors();
      let most = 0;
      for (let count = 1; count <= 1_000; count++) {
        const { socket } = await useRawClient(t, daemon.adminUrl);
        socket.write(begin);
        most = Math.max(most, descriptors());
        if (count % 100 === 0) await isHealthy();
      }
      assert.ok(most <= before + ROOM, `${most} descriptors, ${before} before`);
      await until("the descriptors come back", () => descriptors() <= before, 60_000);
      await isHealthy();
      assert.equal(await daemon.stop(), 0);
    });
  }
});
