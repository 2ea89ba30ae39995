import assert from "node:assert/strict";
import { readdir } from "node:fs/promises";
import { describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { useAdmin, writeToken } from "../support/admin.ts";
import { boardAfter } from "../support/board.ts";
import * as events from "../support/events.ts";

const BROWSER = fileURLToPath(new URL("../../src/page/browser", import.meta.url));
const KNOWN = { status: () => boardAfter(events.connected, events.snapshot(), events.live()) };

describe("the status page", () => {
  it("is one page of HTML that lets in nothing from elsewhere, and lets itself in nowhere", async (t) => {
    const { status, headers, body } = await (await useAdmin(t, KNOWN)).ask("GET", "/");
    assert.deepEqual([status, headers["content-type"]], [200, "text/html; charset=utf-8"]);
    assert.match(body, /^<!doctype html>\n.*data-name="inference"/s);
    const policy = String(headers["content-security-policy"]);
    assert.match(policy, /^default-src 'none'; /);
    assert.match(policy, /frame-ancestors 'none'/);
    assert.doesNotMatch(policy, /unsafe|\*|https?:/);
    assert.deepEqual(
      [headers["referrer-policy"], headers["x-frame-options"], headers["x-content-type-options"]],
      ["no-referrer", "DENY", "nosniff"],
    );
  });

  it("names nothing that the policy forbids: no style, script or handler in the markup, no other address", async (t) => {
    const { body } = await (await useAdmin(t, KNOWN)).ask("GET", "/");
    assert.doesNotMatch(body, / style=| on[a-z]+=|<style|<script(?! type="module" src="\/page\/page.js">)/);
    for (const [, address] of body.matchAll(/(?:src|href|action)="([^"]*)"/g))
      assert.match(String(address), /^[/#]/);
  });

  it("has everything that it is made of, by its content type", async (t) => {
    const admin = await useAdmin(t);
    const types: Record<string, string> = { css: "text/css", js: "text/javascript", svg: "image/svg+xml" };
    const files = (await readdir(BROWSER)).filter((file) => file !== "tsconfig.json");
    assert.ok(files.length > 5);
    for (const file of files) {
      const { status, headers } = await admin.ask("GET", `/page/${file}`);
      const type = types[file.split(".").pop() ?? ""];
      assert.deepEqual([file, status, String(headers["content-type"]).split(";")[0]], [file, 200, type]);
    }
  });

  it("searches for what the query says, and passes over anything else", async (t) => {
    const { body } = await (await useAdmin(t, KNOWN)).ask("GET", "/?q=nothing%20such&x=1");
    assert.match(body, /value="nothing such"/);
    assert.match(body, /data-name="inference"[^>]*hidden/);
  });

  it("gives the details of one bundle by themselves", async (t) => {
    const admin = await useAdmin(t, KNOWN);
    const { status, headers, body } = await admin.ask("GET", "/page/bundles/inference");
    assert.deepEqual([status, headers["content-type"]], [200, "text/html; charset=utf-8"]);
    assert.match(body, /<h4>On disk<\/h4>/);
    assert.equal((await admin.ask("GET", "/page/bundles/other")).status, 404);
  });

  for (const path of [
    "/page/",
    "/page/tsconfig.json",
    "/page/..%2fhtml.js",
    "/page/../../cli.js",
    "/page/__proto__",
  ]) {
    it(`has no ${path}`, async (t) => {
      assert.equal((await (await useAdmin(t)).ask("GET", path)).status, 404);
    });
  }

  for (const path of ["/", "/events", "/page/page.css"]) {
    it(`is only read: POST ${path}`, async (t) => {
      const { status, headers } = await (await useAdmin(t)).ask("POST", path);
      assert.deepEqual([status, headers.allow], [405, "GET, HEAD"]);
    });

    it(`answers HEAD as GET, without the body: ${path}`, async (t) => {
      const { status, body } = await (await useAdmin(t)).ask("HEAD", path);
      assert.deepEqual([status, body], [200, ""]);
    });
  }

  it("asks for the token where one is configured, and only under a name of this machine", async (t) => {
    const file = await writeToken(t);
    const admin = await useAdmin(t, { tokenFile: () => file });
    const form = /<form id="token"/;
    assert.match((await admin.ask("GET", "/")).body, form);
    assert.doesNotMatch((await admin.ask("GET", "/", { host: "rebound.example" })).body, form);
    assert.doesNotMatch((await (await useAdmin(t)).ask("GET", "/")).body, form);
  });

  it("learns whether the token is the right one", async (t) => {
    const file = await writeToken(t);
    const admin = await useAdmin(t, { tokenFile: () => file });
    const ask = async (token: string) =>
      (await admin.ask("POST", "/-/token", { authorization: `Bearer ${token}` })).status;
    assert.deepEqual([await ask("open sesame"), await ask("open barley")], [200, 401]);
  });
});
