/** What tells no secret by its looks: words, short numbers, and what is made of them. Pure. */

/** What stands for something that was taken out. */
const MARK = /^\[(?:secret|hidden:\d+)\]$/;
const SEPARATOR = /[-_.~@+]/;
/** `reload`, `Caddyfile`, `sendMessage`, `llama3`; `GPU`; `70b`. */
const WORD = /^[A-Z]?[a-z]{1,12}(?:[A-Z][a-z]{2,11})*\d{0,2}$/;
const INITIALS = /^[A-Z]{1,3}$/;
const NUMBER = /^\d{1,5}[a-z]?$/;
/** What nobody can say is no word, but for `http` in one. */
const CONSONANTS = /(?!http)[bcdfghjklmnpqrstvwxz]{5}/i;
const MOST_CHARS = 48;
const MOST_DIGITS = 5;

/** Stands for a text that is a secret. */
export const SECRET = "[secret]";

/** Is told what was taken out. */
export type Note = (text: string) => void;

/** What stands for a text that may be a secret: its length is all that is said. */
export function hide(text: string, note: Note): string {
  note(text);
  return `[hidden:${text.length}]`;
}

/** Whether it is made of words and short numbers, such as `llama-3-70b`; or stands for what was taken out. */
export function isPlain(text: string): boolean {
  if (MARK.test(text)) return true;
  if (text.length > MOST_CHARS || text.replace(/\D/g, "").length > MOST_DIGITS) return false;
  return text
    .split(SEPARATOR)
    .every(
      (part) =>
        part === "" ||
        INITIALS.test(part) ||
        NUMBER.test(part) ||
        (WORD.test(part) && !CONSONANTS.test(part)),
    );
}

/** A path, of which only plain segments stay. */
export function redactPath(path: string, note: Note): string {
  return path
    .split("/")
    .map((segment) => (isPlain(segment) ? segment : hide(segment, note)))
    .join("/");
}
