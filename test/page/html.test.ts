import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { html } from "../../src/page/html.ts";

describe("text that is put into markup", () => {
  for (const [what, text, markup] of [
    ["a tag", "<script>alert(1)</script>", "&lt;script&gt;alert(1)&lt;/script&gt;"],
    ["the end of an attribute", `" onclick="alert(1)`, "&quot; onclick=&quot;alert(1)"],
    ["an apostrophe", "it's", "it&#39;s"],
    ["an entity", "&lt;", "&amp;lt;"],
    ["a character that turns the direction", "a\u202eb", "a\\u{202e}b"],
    ["a control character", "a\u0007b", "a\\u{7}b"],
    ["several lines, which stay lines", "a\nb", "a\nb"],
  ] as const) {
    it(`stands for itself: ${what}`, () => {
      assert.equal(String(html`<p title="${text}">${text}</p>`), `<p title="${markup}">${markup}</p>`);
    });
  }

  it("never has anything in it that begins or ends markup, whatever it is", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (text) => {
        const inside = String(html`<b>${text}</b>`).slice("<b>".length, -"</b>".length);
        assert.doesNotMatch(inside, /[<>"']|&(?!amp;|lt;|gt;|quot;|#39;)/);
      }),
    );
  });
});

describe("markup that is put into markup", () => {
  it("is markup, alone and in lists", () => {
    const items = ["a", "<b>"].map((text) => html`<li>${text}</li>`);
    assert.equal(String(html`<ul>${items}</ul>`), "<ul><li>a</li><li>&lt;b&gt;</li></ul>");
  });

  it("is nothing where there is nothing, and a number where there is one", () => {
    assert.equal(String(html`<p>${null}${false}${0}</p>`), "<p>0</p>");
  });

  it("cannot be made of an object that only looks like it", () => {
    const forged = { toString: () => "<script>", map: () => ["<script>"] };
    assert.equal(String(html`${forged as never}`), "&lt;script&gt;");
  });
});
