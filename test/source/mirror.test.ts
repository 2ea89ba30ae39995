import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { IEvent, IKeyValue } from "etcd3";
import type { Entry } from "../../src/core/snapshot.ts";
import { MAX_VALUE_BYTES } from "../../src/core/snapshot.ts";
import { toEntry } from "../../src/source/list.ts";
import { Mirror } from "../../src/source/mirror.ts";

const CLUSTER = "1";

describe("the mirror of a prefix", () => {
  it("begins with a listing, all of which is a change", () => {
    const mirror = new Mirror(isUsed);

    const reason = mirror.reasonToList({ clusterId: CLUSTER, revision: 7 });
    const changed = mirror.applyListing(listing(7, put("/a", "one", 3), put("/b", "two", 7)));

    assert.equal(reason, "start");
    assert.deepEqual([...changed], ["/a", "/b"]);
    assert.deepEqual(contentOf(mirror), { "/a": "one", "/b": "two" });
    assert.equal(mirror.next, 8);
  });

  it("applies puts and deletes, and says which keys they touched", () => {
    const mirror = mirrorAt(7, put("/a", "one", 3), put("/b", "two", 7));

    const changed = mirror.applyEvents([putEvent("/c", "three", 8), deleteEvent("/a", 9)]);

    assert.deepEqual([...changed].sort(), ["/a", "/c"]);
    assert.deepEqual(contentOf(mirror), { "/b": "two", "/c": "three" });
    assert.equal(mirror.revision, 9);
  });

  it("drops events of the past", () => {
    const mirror = mirrorAt(7, put("/a", "new", 7));

    const changed = mirror.applyEvents([
      putEvent("/a", "old", 5),
      deleteEvent("/a", 6),
      putEvent("/a", "new", 7),
    ]);

    assert.equal(changed.size, 0);
    assert.deepEqual(contentOf(mirror), { "/a": "new" });
    assert.equal(mirror.next, 8);
  });

  it("takes what is new from events of which some are of the past", () => {
    const mirror = mirrorAt(7, put("/a", "new", 7));

    const changed = mirror.applyEvents([putEvent("/a", "old", 6), putEvent("/b", "two", 8)]);

    assert.deepEqual([...changed], ["/b"]);
    assert.deepEqual(contentOf(mirror), { "/a": "new", "/b": "two" });
  });

  it("does not go back to an older put that is repeated after a newer one", () => {
    const mirror = mirrorAt(7);
    const events = [putEvent("/a", "old", 8), putEvent("/a", "new", 9), putEvent("/a", "old", 8)];

    mirror.applyEvents(events);

    assert.deepEqual(contentOf(mirror), { "/a": "new" });
    assert.equal(mirror.next, 10);
  });

  it("does not bring back a deleted key with an older put that is repeated", () => {
    const mirror = mirrorAt(7);

    mirror.applyEvents([putEvent("/a", "one", 8), deleteEvent("/a", 9), putEvent("/a", "one", 8)]);

    assert.deepEqual(contentOf(mirror), {});
  });

  it("takes all keys of one transaction", () => {
    const mirror = mirrorAt(7);

    mirror.applyEvents([putEvent("/a", "one", 8), putEvent("/b", "two", 8), putEvent("/c", "three", 8)]);

    assert.deepEqual(Object.keys(contentOf(mirror)), ["/a", "/b", "/c"]);
    assert.equal(mirror.next, 9);
  });

  it("goes on with the watch against the same store, at the same revision or later", () => {
    const mirror = mirrorAt(7);

    assert.equal(mirror.reasonToList({ clusterId: CLUSTER, revision: 7 }), undefined);
    assert.equal(mirror.reasonToList({ clusterId: CLUSTER, revision: 8 }), undefined);
  });

  it("lists again where the store is another one or went back in time", () => {
    const mirror = mirrorAt(7);

    assert.equal(mirror.reasonToList({ clusterId: "2", revision: 9 }), "replaced");
    assert.equal(mirror.reasonToList({ clusterId: CLUSTER, revision: 6 }), "replaced");
  });

  it("finds no change in a listing of what it knows", () => {
    const mirror = mirrorAt(7, put("/a", "one", 3));

    const changed = mirror.applyListing(listing(12, put("/a", "one", 3)));

    assert.equal(changed.size, 0);
    assert.equal(mirror.next, 13);
  });

  it("finds put, changed and deleted keys in a listing", () => {
    const mirror = mirrorAt(7, put("/a", "one", 3), put("/b", "two", 4), put("/c", "three", 5));

    const changed = mirror.applyListing(
      listing(12, put("/a", "one", 3), put("/b", "TWO", 9), put("/d", "four", 10)),
    );

    assert.deepEqual([...changed].sort(), ["/b", "/c", "/d"]);
    assert.deepEqual(contentOf(mirror), { "/a": "one", "/b": "TWO", "/d": "four" });
  });

  it("finds other bytes at the same revision, which a restored store may hold", () => {
    const mirror = mirrorAt(7, put("/a", "one", 7));

    const changed = mirror.applyListing({
      ...listing(7, put("/a", "eno", 7)),
      head: { clusterId: "2", revision: 7 },
    });

    assert.deepEqual([...changed], ["/a"]);
    assert.deepEqual(contentOf(mirror), { "/a": "eno" });
  });

  it("can go back to the revision of a restored store", () => {
    const mirror = mirrorAt(7, put("/a", "one", 7));

    mirror.applyListing(listing(4, put("/a", "zero", 4)));
    const changed = mirror.applyEvents([putEvent("/a", "half", 5)]);

    assert.deepEqual([...changed], ["/a"]);
    assert.equal(mirror.revision, 5);
  });

  it("counts the bytes of a value over the limit, and does not keep it", () => {
    const mirror = mirrorAt(7);
    const longest = Buffer.alloc(MAX_VALUE_BYTES);
    const longer = Buffer.alloc(MAX_VALUE_BYTES + 1);

    mirror.applyEvents([putEvent("/longest", longest, 8), putEvent("/longer", longer, 9)]);

    assert.equal(mirror.entries.get("/longest")?.value?.length, MAX_VALUE_BYTES);
    assert.equal(mirror.entries.get("/longer")?.value, null);
    assert.equal(mirror.entries.get("/longer")?.bytes, MAX_VALUE_BYTES + 1);
  });

  it("keeps of a key that means nothing neither its value nor more than its beginning", () => {
    const [one, other] = [`/junk${"x".repeat(1_000_000)}1`, `/junk${"x".repeat(1_000_000)}2`];
    const mirror = mirrorAt(7, put(one, Buffer.alloc(1_000), 6), put("/junk", "short", 7));

    const changed = mirror.applyEvents([putEvent(other, Buffer.alloc(2_000), 8)]);

    assert.deepEqual(
      [...mirror.entries.values()].map(({ bytes, value }) => [bytes, value]),
      [
        [1_000, null],
        [5, null],
        [2_000, null],
      ],
    );
    assert.ok([...mirror.entries.keys(), ...changed].every(({ length }) => length < 300));
    mirror.applyEvents([deleteEvent(one, 9), deleteEvent(other, 10)]);
    assert.deepEqual([...mirror.entries.keys()], ["/junk"]);
  });

  it("keeps of what etcd sent in one piece no more than the value", () => {
    const page = Buffer.alloc(MAX_VALUE_BYTES);
    const kv = { ...keyValue("/a", "", 7), value: page.subarray(0, 10) };

    const { value } = toEntry(kv, isUsed);

    assert.deepEqual(value, Buffer.alloc(10));
    assert.ok((value?.buffer.byteLength ?? 0) < page.length / 10);
  });
});

/** Every key but those below `/junk`. */
function isUsed(key: string): boolean {
  return !key.startsWith("/junk");
}

function mirrorAt(revision: number, ...entries: Entry[]): Mirror {
  const mirror = new Mirror(isUsed);
  mirror.applyListing(listing(revision, ...entries));
  return mirror;
}

function listing(revision: number, ...entries: Entry[]) {
  return { head: { clusterId: CLUSTER, revision }, entries };
}

function put(key: string, value: string | Buffer, revision: number): Entry {
  return toEntry(keyValue(key, value, revision), isUsed);
}

function putEvent(key: string, value: string | Buffer, revision: number): IEvent {
  return { type: "Put", kv: keyValue(key, value, revision), prev_kv: keyValue("", "", 0) };
}

function deleteEvent(key: string, revision: number): IEvent {
  return { type: "Delete", kv: keyValue(key, "", revision), prev_kv: keyValue("", "", 0) };
}

function keyValue(key: string, value: string | Buffer, revision: number): IKeyValue {
  const mod_revision = String(revision);
  return {
    key: Buffer.from(key),
    value: Buffer.from(value),
    mod_revision,
    create_revision: "1",
    version: "1",
    lease: "0",
  };
}

function contentOf({ entries }: Mirror): Record<string, string | undefined> {
  return Object.fromEntries([...entries].map(([key, { value }]) => [key, value?.toString()]));
}
