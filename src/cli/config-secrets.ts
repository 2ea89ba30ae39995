/** What a configuration itself says that may be a secret, so that it can be looked for elsewhere. Pure. */
import { isPlain } from "./plain-word.ts";
import { redactAddress, WHOLE_ADDRESS } from "./redact-address.ts";
import { type IsOpen, redactArgv, redactWord } from "./redact-argv.ts";

const DIGIT = /\d/;
const PAIR = /^[^\s:=]+[:=]([^\s:=]+)$/;

/** From arguments of programs and from addresses. */
export function secretsIn(config: unknown, isOpen: IsOpen): string[] {
  const found: string[] = [];
  const note = (text: string) => found.push(text);
  const walk = (value: unknown, key: string) => {
    if (typeof value === "string" && WHOLE_ADDRESS.test(value)) redactAddress(value, note);
    else if (key === "argv" && Array.isArray(value)) redactArgv(value.map(String), isOpen, note);
    else if (typeof value === "object" && value !== null) {
      for (const [name, inner] of Object.entries(value)) walk(inner, name);
    }
  };
  walk(config, "");
  return [...new Set(found.flatMap((text) => partsOf(text, isOpen)))];
}

/** A text, the words in it that are none of a program's usual ones, and what follows a user or a name. */
function partsOf(text: string, isOpen: IsOpen): string[] {
  const words: string[] = [text];
  for (const word of text.split(/[\s'",;]+/)) redactWord(word, isOpen, (part) => words.push(part));
  const afterNames = words.flatMap((word) => PAIR.exec(word)?.[1] ?? []).filter((word) => !isOpen(word));
  // Words of letters only are in what everybody says: without them there would be no sense in it.
  return [...words.filter((word) => !isPlain(word) || DIGIT.test(word)), ...afterNames];
}
