import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, it } from "node:test";
import { freePorts } from "../../../src/dev/etcd.ts";
import { usePostgres, useSession } from "../../support/postgresql.ts";
import { readRecipe } from "../../support/recipe.ts";
import { SERVER_NAME, startTrial } from "../../support/recipe-trial.ts";
import { useStand } from "../../support/stand.ts";

describe("the recipe for PostgreSQL", () => {
  it("turns the certificate ten times under load, and a session outlives them all", async (t) => {
    const [stand, [port = 0]] = await Promise.all([useStand(t), freePorts(1)]);
    const postgres = await usePostgres(t, stand.folder, port);
    const recipe = await readRecipe("postgresql", {
      "/etc/postgresql/15/main": postgres.home,
      "/run/postgresql/15-main.pid": postgres.pidFile,
      "owner: postgres, group: postgres": `owner: "${postgres.user}"`,
      "127.0.0.1:5432": `127.0.0.1:${port}`,
    });
    await writeFile(join(postgres.home, "conf.d/tls.conf"), recipe.block("ini"));
    const caFile = join(stand.folder, "ca.crt");
    await writeFile(caFile, stand.pki.root.certificatePem);
    const target = {
      port,
      serverName: SERVER_NAME,
      ca: stand.pki.root.certificatePem,
      asks: "postgres",
    } as const;
    const running = await startTrial(t, {
      stand,
      recipe,
      target,
      start: () => postgres.start(),
    });
    const session = await useSession(t, target, caFile);
    const backends = new Set([await session.ask()]);
    const seen = await running.rotate(async () => {
      backends.add(await session.ask());
    });
    assert.deepEqual(seen.failures, []);
    assert.equal(backends.size, 1, "the session was with one process of the server all the time");
  });
});
