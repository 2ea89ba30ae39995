/** Words of others, as people get to see them: no longer than is useful, and nothing in them that a terminal would obey. */

const MAX_CHARS = 200;
const MOST_NAMED = 10;

/** Control characters, and those that are not seen and change what is: U+202E turns the direction of what follows. */
const STEERING = /[\p{Cc}\p{Cf}\u2028\u2029]/gu;

/** The text with such characters written out: `\u{1b}`. */
export function visible(text: string): string {
  return text.replace(STEERING, (character) => `\\u{${character.codePointAt(0)?.toString(16)}}`);
}

/** JSON that says the same, in which such characters stand as JSON has them: `\u001b`. The line breaks between stay. */
export function visibleJson(json: string): string {
  return json.replace(STEERING, (character) => {
    if (character === "\n") return character;
    const units = Array.from({ length: character.length }, (_, at) => character.charCodeAt(at));
    return units.map((unit) => `\\u${unit.toString(16).padStart(4, "0")}`).join("");
  });
}

/** The text, or its beginning and an ellipsis. */
export function shorten(text: string, maxChars = MAX_CHARS): string {
  return text.length <= maxChars ? text : `${text.slice(0, maxChars)}…`;
}

/** The first few of a list, and how many more there are. */
export function listSome(items: readonly string[], separator = ", ", most = MOST_NAMED): string {
  const named = items.slice(0, most).map((item) => shorten(item));
  const more = items.length > most ? ` and ${items.length - most} more` : "";
  return named.join(separator) + more;
}
