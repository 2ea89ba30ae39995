import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { format, inspect } from "node:util";
import { pino } from "pino";
import { Secret } from "../../src/core/secret.ts";

const VALUE = "correct horse battery staple";

describe("a secret", () => {
  it("can be revealed on purpose", () => {
    assert.equal(new Secret(VALUE).reveal(), VALUE);
  });

  const secret = new Secret(VALUE);
  const ways: readonly (readonly [string, () => string])[] = [
    ["JSON", () => JSON.stringify({ secret, list: [secret] })],
    ["a template", () => `${secret}`],
    ["concatenation", () => `a${String(secret)}`],
    ["inspection", () => inspect({ secret }, { depth: 5 })],
    ["inspection of what is hidden", () => inspect(secret, { showHidden: true, customInspect: false })],
    ["console formats", () => format("%s %o %O %j", secret, secret, secret, secret)],
    ["its keys", () => JSON.stringify([Object.keys(secret), Object.entries(secret), { ...secret }])],
    ["an error", () => String(new Error(`broken: ${secret}`).stack)],
    ["a log line", () => logged((log) => log.info({ secret, nested: { secret } }, "kept %s", secret))],
    ["a log line of its own", () => logged((log) => log.info(secret))],
  ];
  for (const [where, show] of ways) {
    it(`is not shown in ${where}`, () => {
      const shown = show();
      assert.ok(shown.length > 0 && !shown.includes(VALUE), shown);
    });
  }

  it("says that it is one", () => {
    assert.deepEqual(
      [`${secret}`, JSON.stringify(secret), inspect(secret)],
      ["[secret]", '"[secret]"', "[secret]"],
    );
  });

  it("that is bytes is not shown as bytes", () => {
    const bytes = inspect({ secret: new Secret(Buffer.from("AAAA")) });
    assert.equal(bytes, "{ secret: [secret] }");
  });
});

function logged(write: (log: pino.Logger) => void): string {
  let text = "";
  const log = pino(
    {
      level: "trace",
    },
    { write: (line: string) => (text += line) },
  );
  write(log);
  return text;
}
