/** A request handler for keyturn's hooks, for whatever server a program has. */
import type { IncomingMessage, ServerResponse } from "node:http";
import type { BundleSource } from "./bundle-source.ts";
import { type HookAnswer, type HookProof, refuse, takeHook } from "./take-hook.ts";

/** For `node:http`, `node:https`, Connect and Express; answers every request that reaches it. */
export interface ReloadHook {
  (request: HookRequest, response: ServerResponse): void;
  /** A Fastify plugin, with the path to answer at: `app.register(hook.fastify, { path: "/-/reload" })`. */
  readonly fastify: (app: FastifyLike, options: { readonly path?: string }, done: () => void) => void;
}

/** A body parser that ran before leaves the body here: text and bytes can be proven, anything else cannot. */
interface HookRequest extends IncomingMessage {
  readonly body?: unknown;
}

/** What is used of Fastify. */
interface FastifyLike {
  addContentTypeParser(
    type: string,
    options: { readonly parseAs: "string" },
    parse: (request: unknown, body: string, done: (error: null, body: string) => void) => void,
  ): unknown;
  post(path: string, handle: (request: FastifyRequest, reply: FastifyReply) => Promise<unknown>): unknown;
}

interface FastifyRequest {
  readonly headers: IncomingMessage["headers"];
  readonly body: unknown;
}

interface FastifyReply {
  code(status: number): { send(body: unknown): unknown };
}

const MAX_BODY_BYTES = 1 << 20;
const DEFAULT_PATH = "/-/reload";

/**
 * Makes a handler that proves each hook, loads what it tells of, and answers when every user of the bundle has it: the
 * daemon's 2xx then means "served".
 *
 * @param of The bundle that hooks are about, or several of them.
 */
export function reloadHook(of: BundleSource | readonly BundleSource[], proof: HookProof): ReloadHook {
  const sources = Array.isArray(of) ? (of as readonly BundleSource[]) : [of as BundleSource];
  const handle = (request: HookRequest, response: ServerResponse): void => {
    answer(request, sources, proof).then(
      ({ status, body }) => {
        response.writeHead(status, { "content-type": "application/json" });
        response.end(JSON.stringify(body));
      },
      // The client is gone in the middle of its body.
      () => response.destroy(),
    );
  };
  const fastify: ReloadHook["fastify"] = (app, { path = DEFAULT_PATH }, done) => {
    app.addContentTypeParser("application/json", { parseAs: "string" }, (_, body, parsed) =>
      parsed(null, body),
    );
    app.post(path, async ({ headers, body }, reply) => {
      const { status, body: answered } = await takeHook(headers, String(body), sources, proof);
      return reply.code(status).send(answered);
    });
    done();
  };
  return Object.assign(handle, { fastify });
}

async function answer(
  request: HookRequest,
  sources: readonly BundleSource[],
  proof: HookProof,
): Promise<HookAnswer> {
  if (request.method !== "POST") return refuse(405, "HOOK_INVALID", "hooks are sent by POST");
  const body = await bodyOf(request);
  if (body === undefined) {
    const help = "mount the hook before any body parser, or parse as text or raw";
    return refuse(400, "HOOK_INVALID", `the body is over 1 MiB, or was parsed before: ${help}`);
  }
  return takeHook(request.headers, body, sources, proof);
}

/** The bytes that were signed. */
async function bodyOf(request: HookRequest): Promise<string | undefined> {
  if (typeof request.body === "string") return request.body;
  if (Buffer.isBuffer(request.body)) return request.body.toString("utf8");
  if (request.readableEnded) return undefined;
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > MAX_BODY_BYTES) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}
