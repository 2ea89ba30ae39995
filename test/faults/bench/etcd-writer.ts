/** Puts contents into etcd, past every faulty link, until etcd has acknowledged each exactly once. */
import { noop } from "cockatiel";
import { Etcd3, type IOptions } from "etcd3";
import { messageOf } from "../../../src/core/errors.ts";
import { systemClock } from "../../../src/runtime/clock.ts";
import type { Scope } from "../../support/scope.ts";
import type { Content } from "./content.ts";

/** A connection to etcd that outlives whatever is done to etcd. */
export interface EtcdWriter {
  /**
   * Makes the keys hold this content and nothing else, in one transaction; tries until it is acknowledged.
   *
   * @returns false where it was told to stop first: then nobody knows whether it is there.
   */
  put(keys: readonly [string, ...string[]], content: Content, signal: AbortSignal): Promise<boolean>;
  /** Values of these keys as etcd has them now, by a read through consensus. */
  read(keys: readonly string[], signal: AbortSignal): Promise<ReadonlyMap<string, string>>;
  /** Drops the history before the newest revision. */
  compact(signal: AbortSignal): Promise<void>;
  /** From here on, with another etcd. */
  moveTo(endpoints: readonly string[]): void;
}

const CALL_TIMEOUT_MS = 3_000;
const RETRY_AFTER_MS = 100;

/** Opens one; it is closed when the run is over. */
export function useEtcdWriter(
  scope: Scope,
  endpoints: readonly string[],
  options: Partial<IOptions> = {},
): EtcdWriter {
  const open = (hosts: readonly string[]) =>
    new Etcd3({
      hosts: [...hosts],
      faultHandling: { host: () => noop, global: noop },
      grpcOptions: { "grpc.max_reconnect_backoff_ms": 500, "grpc.use_local_subchannel_pool": 1 },
      defaultCallOptions: () => ({ deadline: Date.now() + CALL_TIMEOUT_MS }),
      ...options,
    });
  let [etcd, isClosed] = [open(endpoints), false];
  scope.after(() => {
    isClosed = true;
    etcd.close();
  });
  /** Until it works, or the signal. */
  const persist = async <T>(attempt: () => Promise<T>, signal: AbortSignal): Promise<T | undefined> => {
    while (!signal.aborted && !isClosed) {
      try {
        return await attempt();
      } catch (thrown) {
        if (!isMatterOfTime(thrown)) throw thrown;
        await systemClock.sleep(RETRY_AFTER_MS, signal).catch(() => undefined);
      }
    }
    return undefined;
  };
  const valuesOf = async (keys: readonly string[]) => {
    const found = await Promise.all(keys.map(async (key) => [key, await etcd.get(key).string()] as const));
    return new Map(found.flatMap(([key, value]) => (value === null ? [] : [[key, value] as const])));
  };
  const revisionOf = async (key: string): Promise<number> => {
    const { kvs } = await etcd.get(key).exec();
    return Number(kvs[0]?.mod_revision ?? 0);
  };
  return {
    put: async (keys, content, signal) => {
      let before = await persist(() => revisionOf(keys[0]), signal);
      const attempt = async () => {
        const operations = keys.map((key) => {
          const value = content.values.get(key);
          return value === undefined ? etcd.delete().key(key) : etcd.put(key).value(value);
        });
        const compared = etcd.if(keys[0], "Mod", "==", before ?? 0);
        if ((await compared.then(...operations).commit()).succeeded) return true;
        // An attempt whose answer was lost may have been the one that did it.
        if (holds(await valuesOf(keys), content)) return true;
        before = await revisionOf(keys[0]);
        return false;
      };
      for (;;) {
        const isDone = await persist(attempt, signal);
        if (isDone !== false) return isDone ?? false;
      }
    },
    read: async (keys, signal) => (await persist(() => valuesOf(keys), signal)) ?? new Map(),
    compact: async (signal) => {
      await persist(async () => {
        const { header } = await etcd.kv.range({ key: Buffer.from("no such key") });
        await etcd.kv.compact({ revision: header.revision, physical: true });
      }, signal);
    },
    moveTo: (others) => {
      etcd.close();
      etcd = open(others);
    },
  };
}

function holds(values: ReadonlyMap<string, string>, content: Content): boolean {
  return (
    values.size === content.values.size &&
    [...content.values].every(([key, value]) => values.get(key) === value)
  );
}

/** What the faults of a run do to calls; anything else is a fault of the bench. */
function isMatterOfTime(thrown: unknown): boolean {
  return !/already|required revision has been compacted|syntax/i.test(messageOf(thrown));
}
