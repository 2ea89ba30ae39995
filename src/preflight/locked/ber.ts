/**
 * Reads the Basic Encoding Rules (X.690 §8): what PKCS#12 files come in, those of browsers and of Windows with
 * indefinite lengths and with strings in pieces. DER is BER too.
 *
 * Every function throws an Error that says what is wrong, never with a byte of what was read.
 */

import { dottedText, INTEGER, OBJECT_IDENTIFIER } from "../../core/der.ts";

/** One element. */
export interface Element {
  readonly tag: number;
  /** What is in it, without the mark that ends an indefinite length. */
  readonly content: Uint8Array;
  /** All of it. */
  readonly whole: Uint8Array;
}

const CONSTRUCTED = 0x20;
const MANY_BYTE_TAG = 0x1f;
const INDEFINITE = 0x80;
/** Deeper nesting is none of PKCS#12, and would be a way to exhaust the stack. */
const MAX_DEPTH = 32;

/** The element that bytes begin with; there may be more after it. */
export function readElement(bytes: Uint8Array): Element {
  return elementAt(bytes, 0, 0);
}

/** The elements within one. */
export function childrenOf({ tag, content }: Element): readonly Element[] {
  if ((tag & CONSTRUCTED) === 0) throw new Error("a list was expected, and a value is there");
  const children: Element[] = [];
  for (let at = 0; at < content.length; ) {
    const child = elementAt(content, at, 0);
    children.push(child);
    at += child.whole.length;
  }
  return children;
}

/** The element within one that has only one, such as an explicit tag. */
export function onlyChildOf(parent: Element | undefined): Element {
  const [child] = childrenOf(expected(parent));
  return expected(child);
}

/** The bytes of an OCTET STRING, whatever its tag; its pieces are joined. */
export function octetsOf(element: Element | undefined, depth = 0): Uint8Array {
  const { tag, content } = expected(element);
  if ((tag & CONSTRUCTED) === 0) return content;
  if (depth === MAX_DEPTH) throw new Error("its strings are nested too deep");
  return Buffer.concat(
    childrenOf({ tag, content, whole: content }).map((piece) => octetsOf(piece, depth + 1)),
  );
}

/** An INTEGER that is not negative, of at most six bytes. */
export function integerOf(element: Element | undefined): number {
  const { tag, content } = expected(element);
  const [first = INDEFINITE] = content;
  if (tag !== INTEGER || first >= 0x80 || content.length > 6)
    throw new Error("a number is none, or too large");
  return content.reduce((number, byte) => number * 256 + byte, 0);
}

/** An OBJECT IDENTIFIER, dotted. */
export function identifierOf(element: Element | undefined): string {
  const { tag, content } = expected(element);
  if (tag !== OBJECT_IDENTIFIER)
    throw new Error("an object identifier was expected, and something else is there");
  return dottedText(content);
}

/** The element, where there is one. */
export function expected(element: Element | undefined): Element {
  if (element === undefined) throw new Error("something that has to be in it is missing");
  return element;
}

function elementAt(bytes: Uint8Array, at: number, depth: number): Element {
  const [tag, first] = [bytes[at], bytes[at + 1]];
  if (tag === undefined || first === undefined) throw new Error("it ends too early");
  if ((tag & MANY_BYTE_TAG) === MANY_BYTE_TAG) throw new Error("it has a tag that PKCS#12 does not have");
  if (first === INDEFINITE) return indefiniteAt(bytes, at, tag, depth);
  const lengthBytes = first < 0x80 ? 0 : first & 0x7f;
  if (lengthBytes > 4) throw new Error("it has a length of more than four bytes");
  const begin = at + 2 + lengthBytes;
  const length = bytes.subarray(at + 2, begin).reduce((sum, byte) => sum * 256 + byte, 0);
  const end = begin + (first < 0x80 ? first : length);
  if (begin > bytes.length || end > bytes.length) throw new Error("it ends too early");
  return { tag, content: bytes.subarray(begin, end), whole: bytes.subarray(at, end) };
}

/** Its end is marked by two zero bytes (X.690 §8.1.5), which are found only by reading what is within. */
function indefiniteAt(bytes: Uint8Array, at: number, tag: number, depth: number): Element {
  if ((tag & CONSTRUCTED) === 0) throw new Error("a value without a length is there");
  if (depth === MAX_DEPTH) throw new Error("it is nested too deep");
  let end = at + 2;
  while (bytes[end] !== 0 || bytes[end + 1] !== 0) end += elementAt(bytes, end, depth + 1).whole.length;
  return { tag, content: bytes.subarray(at + 2, end), whole: bytes.subarray(at, end + 2) };
}
