/** Takes out of addresses what may be a secret: user, password, query, fragment, and what looks random in the path. Pure. */
import { hide, isPlain, type Note, redactPath, SECRET } from "./plain-word.ts";

/** An address in a text, without the punctuation that follows it. */
export const ADDRESS = /\b[a-z][a-z0-9+.-]{0,30}:\/\/[^\s"'<>()]*[^\s"'<>(),.:;!?]/gi;
/** A text that is one. */
export const WHOLE_ADDRESS = /^[a-z][a-z0-9+.-]*:\/\/\S+$/i;
const PARTS = /^([^:]*:\/\/)([^/?#]*@)?([^/?#]*)([^?#]*)(\?[^#]*)?(#.*)?$/s;

/** Scheme, host, port, plain segments of the path, and the names in the query stay. */
export function redactAddress(text: string, note: Note): string {
  const [, scheme = "", user = "", host = "", path = "", query = "", fragment = ""] = PARTS.exec(text) ?? [];
  const secret = (found: string) => {
    note(found);
    return SECRET;
  };
  return [
    scheme,
    user && `${secret(user.slice(0, -1))}@`,
    host,
    redactPath(path, note),
    query.replace(/([^?&=]+)(=?)([^&]*)/g, (_, name: string, equals: string, value: string) => {
      const shown = isPlain(name) ? name : hide(name, note);
      return shown + equals + (equals && secret(value));
    }),
    fragment && `#${secret(fragment.slice(1))}`,
  ].join("");
}
