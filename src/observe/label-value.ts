/** Text from outside as the value of a label: no longer than a page of metrics bears, and plainly cut where it was. */

/** Names of certificates are seldom longer; a hostile one may be as long as its certificate. */
const MAX_CHARS = 256;

/** The text, or its beginning with how much is left out: `CN=aaa… (12345 more)`. */
export function labelValue(text: string): string {
  if (text.length <= MAX_CHARS) return text;
  // Half of a surrogate pair is no text.
  const begin = text.slice(0, MAX_CHARS).replace(/[\uD800-\uDBFF]$/, "");
  return `${begin}… (${text.length - begin.length} more)`;
}
