/**
 * Reads PEM in every shape people have, in time linear to its length, and never throws.
 *
 * Lax as in RFC 7468 §3: text around blocks, any line endings, a byte order mark, attributes and header lines.
 * Strict about the base64 itself: a damaged block is an error, never a shorter one.
 */

/** One block between `-----BEGIN` and `-----END`. */
export interface PemBlock {
  readonly label: string;
  readonly der: Uint8Array;
  /** Header lines of RFC 1421 §4.6 such as `DEK-Info`, needed to decrypt a traditional private key. */
  readonly headers: readonly string[];
  /** 1-based line of the `-----BEGIN`. */
  readonly line: number;
}

/** The blocks of a text, or why it cannot be read. */
export type PemResult =
  | { readonly ok: true; readonly blocks: readonly PemBlock[] }
  | { readonly ok: false; readonly message: string };

const BEGIN = /^-----BEGIN ([A-Z0-9. ]{1,64})-----$/;
const END = /^-----END ([A-Z0-9. ]{1,64})-----$/;
const HEADER = /^[A-Za-z][A-Za-z0-9-]*: /;
const BASE64 = /^[A-Za-z0-9+/]+={0,2}$/;

interface OpenBlock {
  readonly label: string;
  readonly line: number;
  readonly headers: string[];
  readonly base64: string[];
  /** Header lines end with the first line that is empty or base64: nothing damaged after it passes for one. */
  inHeaders: boolean;
}

/** Reads every block of `bytes`, in the order they stand. */
export function readPem(bytes: Uint8Array): PemResult {
  const blocks: PemBlock[] = [];
  let open: OpenBlock | undefined;
  for (const [index, line] of linesOf(bytes)) {
    if (open === undefined) {
      const ended = END.exec(line)?.[1];
      if (ended !== undefined) return neverBegun(ended, index);
      open = openBlock(line, index);
      continue;
    }
    if (!line.startsWith("-----")) {
      addLine(open, line);
      continue;
    }
    if (line !== `-----END ${open.label}-----`) return unfinished(open);
    const block = closeBlock(open);
    if (block === undefined) return damaged(open);
    blocks.push(block);
    open = undefined;
  }
  return open === undefined ? { ok: true, blocks } : unfinished(open);
}

function* linesOf(bytes: Uint8Array): Generator<[number, string]> {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("latin1");
  let index = 0;
  for (const line of text.split(/\r\n|\n|\r/))
    yield [++index, line.trim().replace(/^\u00ef\u00bb\u00bf/, "")];
}

function openBlock(text: string, line: number): OpenBlock | undefined {
  const label = BEGIN.exec(text)?.[1];
  return label === undefined ? undefined : { label, line, headers: [], base64: [], inHeaders: true };
}

function addLine(open: OpenBlock, line: string): void {
  const { headers, base64 } = open;
  const isMoreOfHeader = headers.length > 0 && line !== "" && !BASE64.test(line);
  open.inHeaders &&= HEADER.test(line) || isMoreOfHeader;
  if (open.inHeaders) headers.push(line);
  else if (line !== "") base64.push(line);
}

function closeBlock({ label, headers, base64, line }: OpenBlock): PemBlock | undefined {
  const text = base64.join("").replace(/\s/g, "");
  if (text.length % 4 !== 0 || !BASE64.test(text)) return undefined;
  return { label, der: new Uint8Array(Buffer.from(text, "base64")), headers, line };
}

function damaged({ label, line }: OpenBlock): PemResult {
  return { ok: false, message: `the ${label} block at line ${line} is not base64` };
}

function unfinished({ label, line }: OpenBlock): PemResult {
  return { ok: false, message: `the ${label} block at line ${line} has no -----END ${label}----- line` };
}

function neverBegun(label: string, line: number): PemResult {
  return { ok: false, message: `line ${line} ends a ${label} block that was never begun` };
}

/** Writes one block as RFC 7468 §2 has it: 64 characters a line. */
export function writePem(label: string, der: Uint8Array): string {
  const base64 = Buffer.from(der.buffer, der.byteOffset, der.byteLength).toString("base64");
  return `-----BEGIN ${label}-----\n${base64.replace(/.{1,64}/g, "$&\n")}-----END ${label}-----\n`;
}
