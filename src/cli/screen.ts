/** What output goes to: how wide it is, where it has a width, and what it may be asked for. */
import { type Style, styleOf } from "./style.ts";

/** Where a text for a person is shown. */
export interface Screen {
  /** Null where it is no terminal: then nothing is cut. */
  readonly columns: number | null;
  readonly style: Style;
}

/** Some terminals say 0 before they know. */
const LEAST_COLUMNS = 20;

/** Standard output, as it is now. */
export function screen(): Screen {
  const { isTTY, columns } = process.stdout;
  return {
    columns: isTTY && columns >= LEAST_COLUMNS ? columns : null,
    style: styleOf(isTTY === true, process.env),
  };
}
