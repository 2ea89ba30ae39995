/** What axe-core finds wrong with a page for who uses it with a keyboard, a screen reader or weak eyes. */
import axe from "axe-core";
import type { Page } from "playwright-core";

interface Finding {
  readonly id: string;
  readonly nodes: readonly { readonly html: string; readonly failureSummary: string }[];
}

/** Every violation of WCAG 2.2 A and AA, and of axe-core's best practices, in words. */
export async function violationsOf(page: Page): Promise<string[]> {
  await page.evaluate(axe.source);
  const { violations, passes } = (await page.evaluate("axe.run()")) as {
    readonly violations: readonly Finding[];
    readonly passes: readonly Finding[];
  };
  if (!passes.some(({ id }) => id === "color-contrast")) throw new Error("axe-core looked at no colours");
  return violations.flatMap(({ id, nodes }) =>
    nodes.map(({ html, failureSummary }) => `${id}: ${html.slice(0, 200)}: ${failureSummary}`),
  );
}
