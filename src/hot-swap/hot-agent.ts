/** An agent for outgoing `https` that follows: requests after a swap go over connections that were made after it. */
import type { ClientRequest } from "node:http";
import { Agent, type AgentOptions, type RequestOptions } from "node:https";
import type { Duplex } from "node:stream";
import type { SecureContextOptions } from "node:tls";
import type { ClientContext } from "./client-context.ts";

/** What the agent is to be like; what a bundle says, or `options.tls` of the credentials, is not said here. */
export type HotAgentOptions = Omit<AgentOptions, keyof SecureContextOptions | "secureContext" | "session">;

/** Goes with a request through Node's agent, which copies options. */
const CONTEXT_ID = Symbol("keyturn.contextId");

interface Marked extends RequestOptions {
  readonly [CONTEXT_ID]?: string;
}

type Connected = (error: Error | null, socket: Duplex) => void;

/** How Node hands a request to an agent. It is in no declaration, and the same in each version. */
const Base = Agent as unknown as new (
  options: AgentOptions,
) => Agent & { addRequest(request: ClientRequest, options: RequestOptions): void };

/**
 * Marks each request with what is current when it is made, as part of the name under which sockets, waiting requests and TLS
 * sessions are kept.
 */
export class HotAgent extends Base {
  readonly #context: ClientContext;
  /** By which context a socket was asked for. */
  readonly #contextIds = new WeakMap<Duplex, string | undefined>();

  constructor(context: ClientContext, options: HotAgentOptions) {
    super(options);
    this.#context = context;
    context.onSwap(() => {
      for (const socket of Object.values(this.freeSockets).flat()) socket?.destroy();
    });
  }

  override addRequest(request: ClientRequest, options: RequestOptions): void {
    super.addRequest(request, { ...options, [CONTEXT_ID]: this.#context.current.id } as Marked);
  }

  override getName(options?: Marked): string {
    return `${super.getName(options)}:${options?.[CONTEXT_ID] ?? ""}`;
  }

  override createConnection(options: Marked, done?: Connected): Duplex | null | undefined {
    const { id, secureContext } = this.#context.current;
    const asked = options[CONTEXT_ID];
    // A request that waited since before the swap: its name leads to sessions of the context that was current then.
    const session = asked === id ? {} : { session: undefined };
    const keep = (socket: Duplex | null | undefined) => {
      if (socket) this.#contextIds.set(socket, asked);
    };
    // Through a proxy's tunnel the socket comes later, by the callback.
    const now = { ...options, ...session, secureContext };
    const socket = super.createConnection(now, (error, late) => {
      keep(late);
      done?.(error, late);
    });
    keep(socket);
    return socket;
  }

  /** Whether a socket may wait for the next request. */
  override keepSocketAlive(socket: Duplex): boolean {
    const isKept: unknown = super.keepSocketAlive(socket);
    return isKept !== false && this.#contextIds.get(socket) === this.#context.current.id;
  }
}
