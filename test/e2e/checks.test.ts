/** Checks as a node of a fleet meets them: through etcd, with the settings of a configuration. */
import assert from "node:assert/strict";
import { access } from "node:fs/promises";
import { join } from "node:path";
import { describe, it } from "node:test";
import { type TestDaemon, useDaemon } from "../support/daemon.ts";
import { textOf } from "../support/examine.ts";
import { useHookReceiver } from "../support/hook-receiver.ts";
import { type Minted, mint, mintAuthority } from "../support/mint.ts";
import { useStand } from "../support/stand.ts";
import { until } from "../support/wait.ts";

function pemOf(leaf: Minted, root: Minted): string {
  return leaf.pem + leaf.keyPem + root.pem;
}

function untilRejected(daemon: TestDaemon, name: string): Promise<string[]> {
  return until(`${name} is rejected`, async () => {
    const bundle = await daemon.bundle(name);
    return bundle?.state === "rejected" ? bundle.problems.map(({ code }) => code) : undefined;
  });
}

describe("a bundle that is not good", () => {
  it("has every fault named, and nothing of it reaches the disk", async (t) => {
    const { etcd, folder, receiver, settings } = await useStand(t);
    const daemon = await useDaemon(t, folder, settings);
    const root = mintAuthority("Root");
    const leaf = mint({ issuer: root, from: -30, until: -1, names: null });

    await etcd.put("/certs/inference.pem", pemOf(leaf, root));
    const codes = await untilRejected(daemon, "inference");

    assert.deepEqual(codes.sort(), ["CERTIFICATE_EXPIRED", "NAME_MISSING"]);
    await assert.rejects(access(join(daemon.outputDir, "inference")));
    assert.equal(receiver.hooks.length, 0);
    for (const code of codes) {
      assert.equal(await daemon.metric("keyturn_rejections_total", { bundle: "inference", code }), 1);
    }
  });

  it("is told by the rules that the configuration has for it", async (t) => {
    const { etcd, folder, settings } = await useStand(t);
    const rules = [
      {
        bundles: ["strict-*"],
        requireNames: ["api.example.com"],
        maxValidity: "10d",
        requireEku: ["clientAuth"],
      },
    ];
    const daemon = await useDaemon(t, folder, { ...settings, checks: { rules } });
    const root = mintAuthority("Root");
    const pem = pemOf(mint({ issuer: root, uses: ["serverAuth"] }), root);

    await etcd.put("/certs/lenient.pem", pem);
    await etcd.put("/certs/strict-api.pem", pem);
    await daemon.untilLive("lenient");
    const codes = await untilRejected(daemon, "strict-api");

    assert.deepEqual(codes.sort(), ["EXTENDED_KEY_USAGE_WRONG", "NAME_NOT_COVERED", "VALIDITY_TOO_LONG"]);
  });
});

describe("a trust bundle", () => {
  it("that would cut off what is live is rejected, and taken with the old anchors beside the new", async (t) => {
    const { etcd, folder, settings } = await useStand(t);
    const daemon = await useDaemon(t, folder, settings);
    const [before, after] = [mintAuthority("Before"), mintAuthority("After")];
    await etcd.put("/certs/inference.pem", pemOf(mint({ issuer: before }), before));
    await etcd.put("/certs/mesh/ca.crt", before.pem);
    await daemon.untilLive("inference");
    await daemon.untilLive("mesh");

    await etcd.put("/certs/mesh/ca.crt", after.pem);
    const codes = await untilRejected(daemon, "mesh");
    const message = (await daemon.bundle("mesh"))?.problems[0]?.message ?? "";
    await etcd.put("/certs/mesh/ca.crt", textOf([before, after]));
    await daemon.untilLive("mesh");

    assert.deepEqual(codes, ["TRUST_WOULD_BREAK"]);
    assert.match(message, /inference \(CN=inference\.local: .*checks\.trustGuard: off/);
  });

  it("is taken as it is where the guard is off", async (t) => {
    const { etcd, folder, settings } = await useStand(t);
    const daemon = await useDaemon(t, folder, { ...settings, checks: { trustGuard: "off" } });
    const [before, after] = [mintAuthority("Before"), mintAuthority("After")];
    await etcd.put("/certs/inference.pem", pemOf(mint({ issuer: before }), before));
    await etcd.put("/certs/mesh/ca.crt", before.pem);
    const first = await daemon.untilLive("mesh");
    await daemon.untilLive("inference");

    await etcd.put("/certs/mesh/ca.crt", after.pem);
    await until("it is live", async () => {
      const bundle = await daemon.bundle("mesh");
      return bundle?.live && bundle.generation?.id !== first.generation?.id;
    });
  });
});

describe("a certificate that nears its end", () => {
  it("is told to the issuer once for each threshold, and makes the node unready when it has ended", async (t) => {
    const { etcd, folder, settings } = await useStand(t);
    const issuer = await useHookReceiver(t);
    const daemon = await useDaemon(t, folder, {
      ...settings,
      checks: { minRemaining: "0s" },
      renewal: { http: { url: issuer.url } },
    });
    const root = mintAuthority("Root");
    const seconds = 1 / 86_400;
    const leaf = mint({ issuer: root, from: -1, until: 12 * seconds });

    await etcd.put("/certs/inference.pem", pemOf(leaf, root));
    await daemon.untilLive("inference");
    await daemon.stop();
    // A look at the start, in place of one a minute later.
    const again = await useDaemon(t, folder, {
      ...settings,
      checks: { minRemaining: "0s" },
      renewal: { http: { url: issuer.url } },
    });
    await until("the issuer was told", () => issuer.hooks.length === 1);
    const { ready } = await until("it has ended", async () => {
      const status = await again.status();
      return status.notReady.some((why) => why.includes("expired")) ? status : undefined;
    });

    assert.equal(issuer.hooks[0]?.event.type, "certificate.expiring");
    assert.equal(issuer.hooks[0]?.event.data.bundle, "inference");
    assert.equal(ready, false);
    assert.equal((await fetch(`${again.adminUrl}/readyz`)).status, 503);
  });
});
