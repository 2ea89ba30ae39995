/** What haproxy's runtime API says of certificates, read. Learnt from haproxy 2.6; later versions say the same. */

/** `show ssl cert`. */
export interface Listing {
  /** The certificate that a transaction is open for. There is only one at a time, whoever opened it. */
  readonly open: string | undefined;
  readonly names: readonly string[];
}

/** Nothing is listed where haproxy said something else, as to a socket of `level user`. */
export function parseListing(text: string): Listing {
  const lines = text.split("\n").map((line) => line.trim());
  const open = lines.find((line) => line.startsWith("*"))?.slice(1);
  const at = lines.indexOf("# filename");
  const names = at < 0 ? [] : lines.slice(at + 1).filter((line) => line !== "");
  return { open, names };
}

/** The certificate whose transaction `set ssl cert` wrote to; undefined where it did not. */
export function parseSet(text: string): string | undefined {
  return /^Transaction (?:created|updated) for certificate (.*)!$/m.exec(text)?.[1];
}

/** Whether `commit ssl cert` is done. */
export function isCommitted(text: string): boolean {
  return /^Success!$/m.test(text);
}

/** Whether somebody else is at work on certificates, which passes. */
export function isOccupied(text: string): boolean {
  return /are currently locked|ongoing transaction is about/.test(text);
}

/** Whether the socket has too low a level. */
export function isDenied(text: string): boolean {
  return /^Permission denied/m.test(text);
}

/** Whether the certificate's name is not one that haproxy has loaded. */
export function isUnknown(text: string): boolean {
  return /not referenced by the configuration/.test(text);
}

/** A name as one word of a command. Undefined where it cannot be one. */
export function quoteName(name: string): string | undefined {
  return /\p{Cc}/u.test(name) ? undefined : name.replace(/[\\ ;]/g, "\\$&");
}

const SHOWN_CHARS = 400;
/** A piece of what was sent that is no chance. */
const PIECE_CHARS = 12;

/** An answer for a message: short, on one line, and without any piece of what was sent: that is a private key. */
export function shorten(text: string, sent: string): string {
  const isPiece = (run: string) => {
    const starts = Array.from({ length: run.length - PIECE_CHARS + 1 }, (_, at) => at);
    return starts.some((at) => sent.includes(run.slice(at, at + PIECE_CHARS)));
  };
  // Twice the length, so that no piece is cut too short to be known.
  const begin = text.trim().slice(0, 2 * SHOWN_CHARS);
  const clean = begin.replace(/[A-Za-z0-9+/=]{12,}/g, (run) => (isPiece(run) ? "…" : run));
  return clean.replace(/\s+/g, " ").slice(0, SHOWN_CHARS);
}
