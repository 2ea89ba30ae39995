/** Names that are typed: checked before anything is asked. */
import { KeyturnError } from "../core/errors.ts";
import { type BundleName, bundleName } from "../core/names.ts";
import { sequenceOf } from "../store/layout.ts";

/** @throws KeyturnError USAGE. */
export function parseBundleName(text: string): BundleName {
  const name = bundleName(text);
  if (name !== undefined) return name;
  throw new KeyturnError(
    "USAGE",
    `${JSON.stringify(text)} is not the name of a bundle: keyturn status lists them`,
  );
}

/** @throws KeyturnError USAGE. */
export function parseGeneration(text: string, bundle: BundleName): string {
  if (sequenceOf(text) !== undefined) return text;
  const hint = `expected such as 000007-9f86d081: keyturn history ${bundle} lists them`;
  throw new KeyturnError("USAGE", `${JSON.stringify(text)} is not a generation: ${hint}`);
}
