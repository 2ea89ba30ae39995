import assert from "node:assert/strict";
import { rename, symlink, truncate } from "node:fs/promises";
import { join } from "node:path";
import { before, describe, it } from "node:test";
import { inspect } from "node:util";
import type { Bundle } from "../../src/core/bundle.ts";
import { writePem } from "../../src/core/pem.ts";
import { filesOf } from "../../src/store/layout.ts";
import { makeBundles, makeCurrent, makeLive, useStore } from "../support/store.ts";

describe("what is read of a bundle", () => {
  let bundle: Bundle;
  const contentOf = (name: string) => filesOf(bundle).find((file) => file.name === name)?.content;

  before(async () => {
    const [made] = await makeBundles(1);
    assert.ok(made);
    // Nobody looks into a CRL here.
    bundle = { ...made, crls: [Buffer.from("one list"), Buffer.from("another list")] };
  });

  it("is its identity and its trust, each CRL by itself", async (t) => {
    const { store } = await useStore(t);
    await makeLive(store, bundle);

    const { identity, trust } = (await store.read(bundle.name)) ?? {};

    assert.equal(identity?.chain, contentOf("tls.crt"));
    assert.equal(identity?.key.reveal(), contentOf("tls.key"));
    assert.equal(trust?.anchors, contentOf("ca.crt"));
    assert.deepEqual(
      trust?.crls,
      bundle.crls.map((der) => writePem("X509 CRL", der)),
    );
  });

  it("does not show its key", async (t) => {
    const { store } = await useStore(t);
    await makeLive(store, bundle);

    const read = await store.read(bundle.name);

    assert.doesNotMatch(inspect(read, { depth: null }) + JSON.stringify(read), /PRIVATE KEY/);
  });

  it("is trust alone where it has no leaf", async (t) => {
    const { store } = await useStore(t);
    await makeCurrent(store, { ...bundle, identity: null, crls: [] });

    assert.deepEqual(await store.read(bundle.name), {
      identity: null,
      trust: { anchors: contentOf("ca.crt"), crls: [] },
    });
  });

  it("is nothing where there is none", async (t) => {
    const { store } = await useStore(t);

    assert.equal(await store.read(bundle.name), undefined);
  });

  it("is not what a link in place of a file leads to, though that were the same", async (t) => {
    const { store, options } = await useStore(t);
    const live = await makeLive(store, bundle);
    const key = join(options.dir, "mesh", ".generations", live.id, "tls.key");
    await rename(key, `${key}-elsewhere`);
    await symlink(`${key}-elsewhere`, key);

    await assert.rejects(store.read(bundle.name), { code: "STORE_FAILED" });
  });

  it("is never half of a file", async (t) => {
    const { store, options } = await useStore(t);
    const live = await makeLive(store, bundle);
    await truncate(join(options.dir, "mesh", ".generations", live.id, "tls.key"), 40);

    await assert.rejects(store.read(bundle.name), {
      code: "STORE_FAILED",
      message: /tls\.key is gone or is not what was written/,
    });
  });
});
