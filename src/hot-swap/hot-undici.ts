/** A dispatcher for undici and `fetch` that follows: one agent for each generation, of which the last gets each new request. */
import type { EventEmitter } from "node:events";
import type { ClientContext } from "./client-context.ts";

/** What is used of a dispatcher of undici. */
interface DispatcherLike extends EventEmitter {
  dispatch(options: object, handler: object): boolean;
  close(): Promise<void>;
  destroy(error: Error | null): Promise<void>;
  readonly destroyed?: boolean;
}

/** What is used of the module undici. */
export interface UndiciModule {
  readonly Agent: new (options?: never) => DispatcherLike;
  readonly Pool: new (origin: string | URL, options?: never) => DispatcherLike;
  readonly Dispatcher: new () => DispatcherLike;
}

/** Options of undici's `Agent`; its `connect` has to be options too, and no function. */
export type UndiciOptions<U extends UndiciModule> = ConstructorParameters<U["Agent"]>[0];

/** What is used of those. */
interface AgentOptionsLike {
  readonly connect?: unknown;
  readonly factory?: (origin: string | URL, options: object) => DispatcherLike;
}

/** The agent of one generation. */
interface Generation {
  readonly agent: DispatcherLike;
  /** What it made, one for each origin: an agent that closes knows them no more, and could not destroy them. */
  readonly pools: Set<DispatcherLike>;
}

const FORWARDED = ["connect", "disconnect", "connectionError", "drain"];

/**
 * Makes the dispatcher.
 *
 * @throws TypeError for a function as `options.connect`: it would make connections without what the bundle says.
 */
export function hotUndici<U extends UndiciModule>(
  context: ClientContext,
  undici: U,
  options: UndiciOptions<U>,
): InstanceType<U["Dispatcher"]> {
  const given: AgentOptionsLike = options ?? {};
  if (typeof given.connect === "function") throw new TypeError("connect has to be options, and no function");
  const makePool = given.factory ?? ((origin, all) => new undici.Pool(origin, all as never));
  const open = (): Generation => {
    const pools: Generation["pools"] = new Set();
    const connect = { ...(given.connect as object), secureContext: context.current.secureContext };
    const factory = (origin: string | URL, all: object) => {
      for (const pool of pools) if (pool.destroyed) pools.delete(pool);
      const pool = makePool(origin, all);
      pools.add(pool);
      return pool;
    };
    return { agent: new undici.Agent({ ...given, connect, factory } as never), pools };
  };
  return new (dispatcherClassOf(undici))(context, open) as InstanceType<U["Dispatcher"]>;
}

/** A class for each module: its dispatcher has to be an instance of undici's own. */
function dispatcherClassOf({ Dispatcher }: UndiciModule) {
  return class HotDispatcher extends Dispatcher {
    readonly #stopFollowing: () => void;
    /** Those of earlier generations whose requests are under way, each with its end. */
    readonly #old = new Map<Generation, Promise<void>>();
    #young: Generation;

    constructor(context: ClientContext, open: () => Generation) {
      super();
      this.#young = this.#forward(open());
      this.#stopFollowing = context.onSwap(() => {
        const old = this.#young;
        this.#young = this.#forward(open());
        const forget = () => void this.#old.delete(old);
        // Rejects where it is destroyed before its last request has ended: it is gone then too.
        this.#old.set(old, old.agent.close().then(forget, forget));
      });
    }

    override dispatch(options: object, handler: object): boolean {
      return this.#young.agent.dispatch(options, handler);
    }

    override close(done?: () => void): Promise<void> {
      this.#stopFollowing();
      return tell(done, [this.#young.agent.close(), ...this.#old.values()]);
    }

    override destroy(error?: Error | null | (() => void), done?: () => void): Promise<void> {
      this.#stopFollowing();
      const [reason, told] = typeof error === "function" ? [null, error] : [error ?? null, done];
      const all = [this.#young, ...this.#old.keys()].flatMap(({ agent, pools }) => [agent, ...pools]);
      return tell(
        told,
        all.map((one) => one.destroy(reason)),
      );
    }

    #forward(generation: Generation): Generation {
      for (const event of FORWARDED)
        generation.agent.on(event, (origin: unknown, targets: readonly unknown[] = [], ...rest: unknown[]) =>
          this.emit(event, origin, [this, ...targets], ...rest),
        );
      return generation;
    }
  };
}

/** Undici's methods take a callback, or give a promise. */
async function tell(done: (() => void) | undefined, ends: readonly Promise<void>[]): Promise<void> {
  await Promise.all(ends);
  done?.();
}
