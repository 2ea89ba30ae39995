/** Screens of tests. */
import type { Screen } from "../../src/cli/screen.ts";
import { styleOf } from "../../src/cli/style.ts";

/** A pipe: nothing is cut, nothing is painted. */
export const PIPE: Screen = { columns: null, style: styleOf(false, {}) };

/** A terminal without colours. */
export function narrow(columns: number): Screen {
  return { columns, style: styleOf(true, { NO_COLOR: "1" }) };
}

/** A terminal with colours. */
export const COLOURFUL: Screen = { columns: 200, style: styleOf(true, {}) };
