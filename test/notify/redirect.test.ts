import assert from "node:assert/strict";
import { describe, it, type TestContext } from "node:test";
import { hookOf } from "../support/hook.ts";
import { useHookReceiver } from "../support/hook-receiver.ts";
import { useHttp } from "./bad-servers.ts";

describe("a redirect", () => {
  it("is not followed, and it is said where it points and what to do", async (t) => {
    const elsewhere = await useHookReceiver(t);
    const { url } = await useRedirect(t, 307, elsewhere.url);
    const { origin } = new URL(elsewhere.url);
    assert.deepEqual(await hookOf(url).deliver(), {
      kind: "failed",
      message: `vllm answered 307 on ${url}: redirects are not followed, and this one points to ${origin}; set url to the address that answers by itself (attempt 1 of 3)`,
    });
    assert.equal(elsewhere.hooks.length, 0);
  });

  for (const [what, status, location, shown] of [
    ["a path of the same service", 308, "/v2/reload/", "SELF"],
    ["another name of the same scheme", 302, "//other.local/a", "http://other.local"],
    [
      "an address with all that may be secret",
      301,
      "https://me:s3cr3t@other.local/s3cr3t?s3cr3t#s3cr3t",
      "https://other.local",
    ],
    ["a name without end", 307, `http://${"s3cr3t.".repeat(1_000)}local/`, undefined],
    ["no address", 303, "http://[s3cr3t", undefined],
    ["another scheme", 307, "data:,s3cr3t", undefined],
    ["nowhere", 307, undefined, undefined],
  ] as const) {
    it(`to ${what} tells no more than the origin`, async (t) => {
      const { url } = await useRedirect(t, status, location);
      const hook = hookOf(url);
      const answer = await hook.deliver();
      const where = shown === "SELF" ? new URL(url).origin : shown;
      const points = where === undefined ? "" : `, and this one points to ${where}`;
      const advice = `redirects are not followed${points}; set url to the address that answers by itself`;
      assert.deepEqual(answer, {
        kind: "failed",
        message: `vllm answered ${status} on ${url}: ${advice} (attempt 1 of 3)`,
      });
      assert.equal(JSON.stringify(hook.attempts).includes("s3cr3t"), false);
    });
  }

  it("is no matter of a status that is none", async (t) => {
    const { url } = await useRedirect(t, 404, "http://other.local/");
    assert.deepEqual(await hookOf(url).deliver(), {
      kind: "failed",
      message: `vllm answered 404 on ${url} (attempt 1 of 3)`,
    });
  });
});

function useRedirect(t: TestContext, status: number, location: string | undefined) {
  return useHttp(t, (_request, respond) =>
    respond.writeHead(status, location === undefined ? {} : { location }).end(),
  );
}
