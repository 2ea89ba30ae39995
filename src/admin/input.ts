/** What a request brings besides its path: a query, or a JSON object as its body. Small, and nothing unknown in it. */
import type { IncomingMessage } from "node:http";
import { type Refusal, refuse } from "./reply.ts";
import { queryOf } from "./target.ts";

/** Texts by name, or why they are not taken. */
export type Input =
  | { readonly ok: true; readonly values: ReadonlyMap<string, string> }
  | { readonly ok: false; readonly refusal: Refusal };

const MAX_BODY_BYTES = 4_096;

/** What was sent as JSON, or why it is not taken. */
export type JsonInput =
  | { readonly ok: true; readonly value: unknown }
  | { readonly ok: false; readonly refusal: Refusal };

/**
 * Reads it. A name that is not expected is refused, not passed over: with a misspelt `to` a rollback would go elsewhere.
 *
 * @param names What may be given, each at most once, in the query or in the body.
 */
export async function readInput(request: IncomingMessage, names: readonly string[]): Promise<Input> {
  const body = await readBody(request, MAX_BODY_BYTES);
  if (body === undefined) return refused(413, `send at most ${MAX_BODY_BYTES} bytes`);
  const inBody = membersOf(body);
  if (inBody === undefined)
    return refused(400, 'send a JSON object, such as {"to": "000007-9f86d081"}, or nothing');
  const values = new Map<string, string>();
  for (const [name, value] of [...new URLSearchParams(queryOf(request.url ?? "")), ...inBody]) {
    if (!names.includes(name)) {
      const known = names.length === 0 ? "nothing is" : `expected is ${names.join(", ")}`;
      return refused(400, `${JSON.stringify(name)} is not expected: ${known}`);
    }
    if (typeof value !== "string" || value === "") return refused(400, `${name} has to be a text`);
    if (values.has(name)) return refused(400, `${name} is given twice`);
    values.set(name, value);
  }
  return { ok: true, values };
}

/** Reads a body that is JSON, whatever is in it. */
export async function readJson(request: IncomingMessage, maxBytes: number): Promise<JsonInput> {
  const body = await readBody(request, maxBytes);
  if (body === undefined) return refused(413, `send at most ${maxBytes} bytes`);
  try {
    return { ok: true, value: JSON.parse(body) };
  } catch {
    return refused(400, "send JSON");
  }
}

/** The body as text; undefined where it is too large, whose end is not waited for. */
async function readBody(request: IncomingMessage, maxBytes: number): Promise<string | undefined> {
  if (Number(request.headers["content-length"] ?? 0) > maxBytes) return undefined;
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > maxBytes) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}

/** The members of a JSON object; none of an empty text; undefined of anything else. */
function membersOf(body: string): readonly (readonly [string, unknown])[] | undefined {
  if (body.trim() === "") return [];
  try {
    const value: unknown = JSON.parse(body);
    if (typeof value !== "object" || value === null || Array.isArray(value)) return undefined;
    return Object.entries(value);
  } catch {
    return undefined;
  }
}

function refused(status: 400 | 413, message: string): { readonly ok: false; readonly refusal: Refusal } {
  return { ok: false, refusal: refuse(status, message) };
}
