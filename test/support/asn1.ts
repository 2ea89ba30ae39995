/** Writes ASN.1: DER (X.690 §10), and the pieces of BER that some programs write. */
import { readPem } from "../../src/core/pem.ts";

/** Tag, length and value. */
export function tlv(tag: number, ...content: readonly Uint8Array[]): Buffer {
  const value = Buffer.concat(content);
  return Buffer.concat([Buffer.from([tag]), lengthOf(value.length), value]);
}

/** Short for less than 128 bytes, else a byte that says how many bytes of length follow (X.690 §8.1.3). */
function lengthOf(bytes: number): Buffer {
  if (bytes < 0x80) return Buffer.from([bytes]);
  const hex = bytes.toString(16);
  const length = Buffer.from(hex.length % 2 === 0 ? hex : `0${hex}`, "hex");
  return Buffer.concat([Buffer.from([0x80 | length.length]), length]);
}

/** The same with an indefinite length (X.690 §8.1.3.6), for what is made of parts. */
export function openEnded(tag: number, ...content: readonly Uint8Array[]): Buffer {
  return Buffer.concat([Buffer.from([tag, 0x80]), ...content, Buffer.from([0, 0])]);
}

export function sequence(...content: readonly Uint8Array[]): Buffer {
  return tlv(0x30, ...content);
}

/** `[number] EXPLICIT` */
export function explicit(number: number, content: Uint8Array): Buffer {
  return tlv(0xa0 | number, content);
}

export function octets(content: Uint8Array): Buffer {
  return tlv(0x04, content);
}

/** A number from 0 up. */
export function integer(value: number): Buffer {
  const hex = value.toString(16);
  const bytes = Buffer.from(hex.length % 2 === 0 ? hex : `0${hex}`, "hex");
  return tlv(0x02, (bytes[0] ?? 0) < 0x80 ? bytes : Buffer.concat([Buffer.alloc(1), bytes]));
}

/** An object identifier from its dotted text. */
export function oid(dotted: string): Buffer {
  const [first = 0, second = 0, ...rest] = dotted.split(".").map(Number);
  const arcs = [first * 40 + second, ...rest].flatMap((arc) => {
    const groups = [arc & 0x7f];
    for (let left = Math.floor(arc / 128); left > 0; left = Math.floor(left / 128)) {
      groups.unshift((left & 0x7f) | 0x80);
    }
    return groups;
  });
  return tlv(0x06, Buffer.from(arcs));
}

/** The pieces of a constructed OCTET STRING (X.690 §8.7.3), the last of them in pieces itself. */
export function piecesOf(bytes: Uint8Array): Buffer[] {
  const third = Math.ceil(bytes.length / 3);
  const pieces = [0, 1, 2].map((at) => octets(bytes.subarray(at * third, (at + 1) * third)));
  return [...pieces.slice(0, 2), openEnded(0x24, ...pieces.slice(2))];
}

/** DER of the first block of a PEM text. */
export function derOf(pem: string): Buffer {
  const read = readPem(Buffer.from(pem));
  return Buffer.from((read.ok ? read.blocks[0]?.der : undefined) ?? new Uint8Array());
}
