/** The command line of `npm run conformance`. */
import { parseArgs } from "node:util";

/** What to run, and how. */
export interface Options {
  readonly file: string;
  /** Patterns of ids with `*` and `?`; all where there are none. */
  readonly only: readonly string[];
  readonly json: boolean;
  readonly strict: boolean;
  readonly deadlineMs: number;
}

export const USAGE =
  "npm run conformance -- FILE [--only PATTERN]… [--json] [--strict] [--deadline=MS] (FILE as x509-limbo's limbo.json)";

/** Reads the options; throws where there is one that is not known, or that cannot be. */
export function optionsOf(argv: readonly string[]): Options {
  const { values, positionals } = parseArgs({
    args: [...argv],
    allowPositionals: true,
    options: {
      only: { type: "string", multiple: true, default: [] },
      json: { type: "boolean", default: false },
      strict: { type: "boolean", default: false },
      deadline: { type: "string", default: "60000" },
    },
  });
  const [file, ...others] = positionals;
  if (file === undefined || others.length > 0) throw new Error("expected one file");
  const deadlineMs = Number(values.deadline);
  if (!(Number.isInteger(deadlineMs) && deadlineMs > 0))
    throw new Error(`--deadline: expected whole milliseconds, not ${values.deadline}`);
  return { file, only: values.only, json: values.json, strict: values.strict, deadlineMs };
}
