/** A real etcd for a test, and etcdctl against it. */
import { execFile } from "node:child_process";
import { type DevEtcd, startEtcd } from "../../src/dev/etcd.ts";
import type { Scope } from "./scope.ts";

/** An etcd of one test. */
export interface TestEtcd extends DevEtcd {
  /** Runs etcdctl; `input` goes to its standard input, as in `etcdctl put KEY < FILE`. */
  ctl(args: readonly string[], input?: string | Buffer): Promise<string>;
  /** Puts a value, whatever bytes it has. */
  put(key: string, value: string | Buffer): Promise<void>;
  /** Puts several keys in one transaction. */
  putTogether(values: Readonly<Record<string, string>>): Promise<void>;
  /** The newest revision of the store. */
  revision(): Promise<number>;
}

/** Starts an etcd that is stopped when the test is over. */
export async function useEtcd(t: Scope, extraArguments: readonly string[] = []): Promise<TestEtcd> {
  const etcd = await startEtcd(extraArguments);
  t.after(() => etcd.stop());
  const ctl: TestEtcd["ctl"] = (args, input) =>
    new Promise((resolve, reject) => {
      const options = { env: { ...process.env, ETCDCTL_API: "3" }, maxBuffer: 64 << 20 };
      const child = execFile(
        etcd.etcdctl,
        ["--endpoints", etcd.endpoint, ...args],
        options,
        (error, stdout, stderr) =>
          error ? reject(new Error(`etcdctl ${args[0]}: ${stderr || error.message}`)) : resolve(stdout),
      );
      // etcdctl may end before it has read everything; its exit says why.
      child.stdin?.on("error", () => undefined);
      child.stdin?.end(input ?? "");
    });
  // Not spread: `process` is a getter, and a restart changes what it gives.
  return Object.assign(etcd, {
    ctl,
    put: async (key: string, value: string | Buffer) => {
      // etcdctl reads the value from standard input, but refuses one that is empty there.
      if (value.length > 0) await ctl(["put", key], value);
      else await ctl(["put", "--", key, ""]);
    },
    putTogether: async (values: Readonly<Record<string, string>>) => {
      const puts = Object.entries(values).map(([key, value]) => `put -- ${key} ${JSON.stringify(value)}`);
      await ctl(["txn"], `\n${puts.join("\n")}\n\n\n`);
    },
    revision: async () => {
      const status = JSON.parse(await ctl(["get", "--write-out=json", "no such key"])) as {
        header: { revision: number };
      };
      return status.header.revision;
    },
  });
}
