/** Real bundles taken apart, damaged and put together again, in the ways that fast-check thinks of. */
import fc from "fast-check";
import { readTlv } from "../../src/core/der.ts";
import { type PemBlock, writePem } from "../../src/core/pem.ts";

/** What is done to the DER of one block. */
export type Damage =
  | { readonly kind: "flip"; readonly at: number; readonly by: number }
  | { readonly kind: "cut"; readonly at: number }
  | { readonly kind: "length"; readonly at: number; readonly to: number }
  | { readonly kind: "append"; readonly bytes: Uint8Array };

/** How a block is written, where it does not count. */
export interface Writing {
  readonly width: number;
  readonly ending: "\n" | "\r\n" | "\r";
  readonly indent: string;
  readonly header: string | null;
  readonly before: string;
}

/** What is done to a text that is whole. */
export type Blow =
  | { readonly kind: "flip"; readonly at: number; readonly by: number }
  | { readonly kind: "cut"; readonly at: number }
  | { readonly kind: "drop"; readonly at: number; readonly length: number }
  | { readonly kind: "insert"; readonly at: number; readonly text: string }
  | { readonly kind: "repeat"; readonly at: number; readonly length: number };

const at = fc.nat({ max: 1 << 16 });
const by = fc.integer({ min: 1, max: 255 });
const length = fc.integer({ min: 1, max: 200 });
/** Text that stands between blocks, and has no dashes that could be taken for one. */
const between = fc.string({ unit: "grapheme", maxLength: 20 }).map((text) => text.replaceAll("-", " "));

export const damage: fc.Arbitrary<Damage> = fc.oneof(
  fc.record({ kind: fc.constant("flip" as const), at, by }),
  fc.record({ kind: fc.constant("cut" as const), at }),
  fc.record({ kind: fc.constant("length" as const), at, to: fc.nat({ max: 255 }) }),
  fc.record({
    kind: fc.constant("append" as const),
    bytes: fc.uint8Array({ minLength: 1, maxLength: 8 }),
  }),
);

export const writing: fc.Arbitrary<Writing> = fc.record({
  width: fc.integer({ min: 1, max: 200 }),
  ending: fc.constantFrom("\n", "\r\n", "\r"),
  indent: fc.constantFrom("", " ", "\t", "    "),
  header: fc.option(fc.constantFrom("X-Source: vault", "Comment: a: b", "Proc-Type: 4,CLEAR")),
  before: fc.oneof(fc.constant(""), between, fc.constantFrom("\ufeff", "Bag Attributes\n", "\n\n", "\0")),
});

export const blow: fc.Arbitrary<Blow> = fc.oneof(
  fc.record({ kind: fc.constant("flip" as const), at, by }),
  fc.record({ kind: fc.constant("cut" as const), at }),
  fc.record({ kind: fc.constant("drop" as const), at, length }),
  fc.record({ kind: fc.constant("repeat" as const), at, length }),
  fc.record({
    kind: fc.constant("insert" as const),
    at,
    text: fc.constantFrom(
      "-----BEGIN CERTIFICATE-----",
      "-----END CERTIFICATE-----\n",
      "\n-----BEGIN PRIVATE KEY-----\n",
      "-----BEGIN TRUSTED CERTIFICATE-----\n",
      "---- BEGIN SSH2 PUBLIC KEY ----\n",
      "Proc-Type: 4,ENCRYPTED\nDEK-Info: AES-256-CBC,00\n\n",
      "\ufeff",
      "\0",
      "=",
      "\r\n\r\n",
      " \t",
    ),
  }),
);

/** Damages the DER of a block. Places beyond its end count from its beginning again. */
export function damageDer(der: Uint8Array, one: Damage): Uint8Array {
  const bytes = Buffer.from(der);
  switch (one.kind) {
    case "flip":
      return flipped(bytes, one.at, one.by);
    case "cut":
      return bytes.subarray(0, Math.max(1, one.at % bytes.length));
    case "length": {
      const places = lengthsOf(bytes);
      bytes[places[one.at % places.length] ?? 0] = one.to;
      return bytes;
    }
    case "append":
      return Buffer.concat([bytes, one.bytes]);
  }
}

/** Writes a block so that it reads as the same. */
export function writeAs({ label, der }: Pick<PemBlock, "label" | "der">, how: Writing): string {
  const [begin, ...lines] = writePem(label, der).trimEnd().split("\n");
  const end = lines.pop();
  const base64 = lines.join("").match(new RegExp(`.{1,${how.width}}`, "g")) ?? [];
  const headers = how.header === null ? [] : [how.header, ""];
  const all = [begin, ...headers, ...base64, end].map((line) => how.indent + line);
  return [how.before, ...all, ""].join(how.ending);
}

/** Damages a text. */
export function strike(text: Buffer, one: Blow): Buffer {
  if (text.length === 0) return text;
  const place = one.at % text.length;
  const [head, tail] = [text.subarray(0, place), text.subarray(place)];
  switch (one.kind) {
    case "flip":
      return flipped(Buffer.from(text), one.at, one.by);
    case "cut":
      return head;
    case "drop":
      return Buffer.concat([head, tail.subarray(one.length)]);
    case "insert":
      return Buffer.concat([head, Buffer.from(one.text), tail]);
    case "repeat":
      return Buffer.concat([head, tail.subarray(0, one.length), tail]);
  }
}

function flipped(bytes: Buffer, place: number, change: number): Buffer {
  bytes[place % bytes.length] = (bytes[place % bytes.length] ?? 0) ^ change;
  return bytes;
}

/** Offsets of the first length byte of every element, inside of those that are made of others too. */
function lengthsOf(der: Uint8Array, from = 0, to = der.length): number[] {
  const found: number[] = [];
  for (let place = from; place < to; ) {
    const element = readTlv(der, place, to);
    if (element === undefined) return found;
    found.push(place + 1);
    if ((element.tag & 0x20) !== 0) found.push(...lengthsOf(der, element.content, element.end));
    place = element.end;
  }
  return found;
}
