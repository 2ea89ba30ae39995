/** Takes the pictures of README.md: `npm run screenshots`. */
import { fileURLToPath } from "node:url";
import type { Scope } from "../../support/scope.ts";
import { openPage, useBrowser } from "./browser.ts";
import { useFleet } from "./fleet.ts";

const ends: (() => void | Promise<void>)[] = [];
const scope: Scope = { after: (end) => void ends.unshift(end) };
try {
  const { daemon } = await useFleet(scope);
  const browser = await useBrowser(scope);
  for (const colorScheme of ["light", "dark"] as const) {
    const viewport = { width: 1220, height: 1200 };
    const { page } = await openPage(scope, browser, daemon.adminUrl, { colorScheme, viewport });
    await page.waitForSelector("body.live");
    const last = await page.locator("#bundle-speech").boundingBox();
    const clip = {
      x: 0,
      y: 0,
      width: viewport.width,
      height: Math.round((last?.y ?? 0) + (last?.height ?? 0)),
    };
    const path = fileURLToPath(new URL(`../../../docs/status-page-${colorScheme}.png`, import.meta.url));
    await page.screenshot({ path, clip, animations: "disabled" });
    console.log(path);
  }
} finally {
  for (const end of ends) await end();
}
