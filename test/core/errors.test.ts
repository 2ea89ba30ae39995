import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { KeyturnError, messageOf, systemCodeOf } from "../../src/core/errors.ts";
import { mayYetFit } from "../../src/core/problem.ts";

describe("KeyturnError", () => {
  it("has code, message and cause", () => {
    const cause = new Error("below");
    const { code, message, cause: kept } = new KeyturnError("STORE_FAILED", "no space", { cause });
    assert.deepEqual([code, message, kept], ["STORE_FAILED", "no space", cause]);
  });

  it("says whether trying again may help", () => {
    const retryable = (code: "ETCD_UNAVAILABLE" | "CONFIG_INVALID") => new KeyturnError(code, "").retryable;
    assert.deepEqual([retryable("ETCD_UNAVAILABLE"), retryable("CONFIG_INVALID")], [true, false]);
  });
});

describe("what was thrown", () => {
  it("has the message of an error", () => assert.equal(messageOf(new TypeError("bad")), "bad"));

  it("has a text where it is no error", () =>
    assert.deepEqual([messageOf("x"), messageOf(null)], ["x", "null"]));

  it("has the system's code where there is one", () => {
    const codes = [{ code: "ENOSPC" }, { code: 5 }, null, "ENOSPC", {}].map(systemCodeOf);
    assert.deepEqual(codes, ["ENOSPC", undefined, undefined, undefined, undefined]);
  });
});

describe("problems that another part may cure", () => {
  const fits = (...codes: ("KEY_MISSING" | "KEY_MISMATCH" | "KEY_ENCRYPTED")[]) =>
    mayYetFit(codes.map((code) => ({ code, message: "" })));

  it("are a key that is missing and one that does not match", () => {
    assert.equal(fits("KEY_MISSING", "KEY_MISMATCH"), true);
  });

  it("are not cured where one of them is of another kind", () => {
    assert.equal(fits("KEY_MISSING", "KEY_ENCRYPTED"), false);
  });
});
