/** Chromium for a test, and pages in it of which every request and every complaint is recorded. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { before } from "node:test";
import { type Browser, type BrowserContextOptions, chromium, type Page } from "playwright-core";
import type { Scope } from "../../support/scope.ts";
import { scopeOfFile } from "./file-scope.ts";

const ARGUMENTS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

/** A page, and what came of it. */
export interface WatchedPage {
  readonly page: Page;
  /** Addresses of every request. */
  readonly requests: readonly string[];
  /** What the console was told, and what was thrown. */
  readonly complaints: readonly string[];
}

/** Starts Chromium; it is closed when the test is over. */
export async function useBrowser(t: Scope): Promise<Browser> {
  const folder = process.env.KEYTURN_BROWSER_BIN;
  const browser = await chromium.launch({
    executablePath: folder === undefined ? "chromium" : join(folder, "chromium"),
    args: ARGUMENTS,
  });
  t.after(() => browser.close());
  return browser;
}

/** Starts Chromium once for all tests of a file; the result gives it while they run. */
export function useBrowserForAll(): () => Browser {
  const scope = scopeOfFile();
  let browser: Browser | undefined;
  before(async () => {
    browser = await useBrowser(scope);
  });
  return () => browser ?? assert.fail("it is there only while tests run");
}

/** Opens a page in a context of its own, which is closed when the test is over: a daemon has room for a few streams. */
export async function openPage(
  t: Scope,
  browser: Browser,
  url: string,
  options: BrowserContextOptions = {},
): Promise<WatchedPage> {
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 }, ...options });
  t.after(() => context.close());
  const page = await context.newPage();
  const requests: string[] = [];
  const complaints: string[] = [];
  page.on("request", (request) => requests.push(request.url()));
  page.on("console", (message) => {
    if (["error", "warning"].includes(message.type())) complaints.push(message.text());
  });
  page.on("pageerror", (error) => complaints.push(String(error)));
  await page.goto(url);
  return { page, requests, complaints };
}
