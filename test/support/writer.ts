/** Writes to etcd from a connection that stays open, so that thousands of puts take seconds, and says their revisions. */
import { noop } from "cockatiel";
import { Etcd3, type IOptions } from "etcd3";
import type { Scope } from "./scope.ts";

/** A client that writes. */
export interface Writer {
  /** Gives the revision of the put. */
  put(key: string | Buffer, value: string | Buffer): Promise<number>;
  delete(key: string): Promise<number>;
  /** Puts and deletes in one transaction. */
  together(puts: Readonly<Record<string, string | Buffer>>, deletes?: readonly string[]): Promise<number>;
  /** Drops the history before the newest revision. */
  compact(): Promise<void>;
  /** The content of `/certs/` as etcd has it: each key with its value as text. */
  content(): Promise<Record<string, string>>;
}

/** Opens a writer that is closed when the test is over. */
export function useWriter(t: Scope, endpoint: string, options: Partial<IOptions> = {}): Writer {
  const etcd = new Etcd3({
    hosts: endpoint,
    faultHandling: { host: () => noop },
    grpcOptions: { "grpc.max_receive_message_length": -1 },
    ...options,
  });
  t.after(() => etcd.close());
  const revisionOf = ({ header }: { readonly header: { readonly revision: string } }) =>
    Number(header.revision);
  return {
    put: async (key, value) => revisionOf(await etcd.put(key).value(value)),
    delete: async (key) => revisionOf(await etcd.delete().key(key)),
    together: async (puts, deletes = []) => {
      const operations = [
        ...Object.entries(puts).map(([key, value]) => etcd.put(key).value(value)),
        ...deletes.map((key) => etcd.delete().key(key)),
      ];
      return revisionOf(
        await etcd
          .if("no such key", "Version", "==", 0)
          .then(...operations)
          .commit(),
      );
    },
    compact: async () => {
      const revision = revisionOf(await etcd.kv.range({ key: Buffer.from("no such key") }));
      await etcd.kv.compact({ revision: String(revision), physical: true });
    },
    content: () => etcd.getAll().prefix("/certs/").strings(),
  };
}
