/**
 * A few keys of etcd, for commands: read, and changed where they still are as they were read. Every endpoint is tried, in
 * the order of the configuration, and nothing is waited for.
 */
import { EtcdPermissionDeniedError } from "etcd3";
import { KeyturnError, messageOf } from "../core/errors.ts";
import { type EtcdAccess, type EtcdClient, openClient } from "./client.ts";
import { toEtcdFailure } from "./failure.ts";
import { type Change, type Changed, commit, type KeysRead, readKeys } from "./transaction.ts";

/** The keys of one etcd. What a method throws is a KeyturnError ETCD_UNAVAILABLE, ETCD_DENIED or CONFIG_INVALID. */
export interface Keys {
  read(keys: readonly string[], signal: AbortSignal): Promise<KeysRead>;
  change(change: Change, signal: AbortSignal): Promise<Changed>;
}

/** By etcd (`--max-request-bytes`, `--max-txn-ops`, `--quota-backend-bytes`), or by gRPC in front of it. */
const OVER_A_LIMIT = /request is too large|too many operations|larger than max|space exceeded/;

/** Opens nothing yet. */
export function openKeys(access: EtcdAccess): Keys {
  // The endpoint that answered comes first the next time.
  let endpoints = access.endpoints;
  const prefer = (endpoint: string): void => {
    endpoints = [endpoint, ...endpoints.filter((other) => other !== endpoint)];
  };
  return {
    read: async (keys, signal) => {
      const failures: KeyturnError[] = [];
      for (const endpoint of endpoints) {
        try {
          const read = await withClient(access, endpoint, signal, (client) => readKeys(client, keys));
          prefer(endpoint);
          return read;
        } catch (thrown) {
          failures.push(failureOf(thrown, endpoint, signal));
        }
      }
      throw summaryOf(failures);
    },
    change: async (change, signal) => {
      const failures: KeyturnError[] = [];
      // Once more where an answer was lost: that of the first attempt may be the one that wrote it.
      for (const endpoint of [...endpoints, ...endpoints]) {
        try {
          const isRepeated = failures.length > 0;
          return await withClient(access, endpoint, signal, (client) => commit(client, change, isRepeated));
        } catch (thrown) {
          const words = messageOf(thrown).replace(/^\d+ [A-Z_]+: /, "");
          if (OVER_A_LIMIT.test(words)) return { kind: "overLimit", words };
          if (thrown instanceof EtcdPermissionDeniedError) throw mayNotWrite(access, endpoint, thrown);
          failures.push(failureOf(thrown, endpoint, signal));
        }
      }
      throw unknownWhether(summaryOf(failures.slice(0, endpoints.length)));
    },
  };
}

async function withClient<T>(
  access: EtcdAccess,
  endpoint: string,
  signal: AbortSignal,
  act: (client: EtcdClient) => Promise<T>,
): Promise<T> {
  const client = await openClient(access, endpoint, signal);
  try {
    return await client.run(() => act(client));
  } finally {
    client.close();
  }
}

/** A file that cannot be read is the same at every endpoint: that is thrown at once. */
function failureOf(thrown: unknown, endpoint: string, signal: AbortSignal): KeyturnError {
  signal.throwIfAborted();
  const failure = toEtcdFailure(thrown, endpoint);
  if (failure.code === "CONFIG_INVALID") throw failure;
  return failure;
}

/** One error for all endpoints: a refusal is told before silence. */
function summaryOf(failures: readonly KeyturnError[]): KeyturnError {
  const code = failures.find((failure) => failure.code === "ETCD_DENIED")?.code ?? "ETCD_UNAVAILABLE";
  const lines = failures.map(({ message }) => message);
  if (code === "ETCD_UNAVAILABLE") lines.push("is etcd running, and is etcd.endpoints right?");
  return new KeyturnError(code, lines.join("\n"), { cause: failures[0] });
}

function unknownWhether({ code, message, cause }: KeyturnError): KeyturnError {
  const doubt = "whether it was written is not known; look at what is there before trying again";
  return new KeyturnError(code, `${message}\n${doubt}`, { cause });
}

function mayNotWrite({ username }: EtcdAccess, endpoint: string, cause: unknown): KeyturnError {
  const user = username === undefined ? "this client" : `the user ${username}`;
  const remedy = "put as a user whose role may read and write them (etcd.username and etcd.passwordFile)";
  const message = `etcd at ${endpoint} lets ${user} read these keys, and not write them; ${remedy}`;
  return new KeyturnError("ETCD_DENIED", message, { cause });
}
