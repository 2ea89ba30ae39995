/** An example service as a child process, seen only from outside: its ports, and what it says. */
import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { freePorts } from "../../src/dev/etcd.ts";
import { followLog } from "./daemon.ts";
import type { Scope } from "./scope.ts";
import { until } from "./wait.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
/** Where `keyturn` was built, the examples import that; else the sources, by `paths` of tsconfig.json. */
const LOADER = process.env.KEYTURN_BUILT_CLI ? [] : ["--import", "tsx"];

/** A line that an example says. */
type ExampleLine = Readonly<Record<string, unknown>> & { readonly event: string };

/** An example that runs. */
export interface ExampleProgram {
  readonly lines: readonly ExampleLine[];
}

/** An example service that runs. */
export interface ExampleService extends ExampleProgram {
  /** Where it serves TLS, from its first bundle on. */
  readonly port: number;
  readonly hookUrl: string;
  readonly metricsUrl: string;
}

/** Starts `examples/<name>.js` as a service and waits until it takes hooks. It is killed when the test is over. */
export async function useExampleService(
  t: Scope,
  name: string,
  env: Readonly<Record<string, string>>,
): Promise<ExampleService> {
  const [port = 0, plainPort = 0] = await freePorts(2);
  const [address, plain] = [`127.0.0.1:${port}`, `127.0.0.1:${plainPort}`];
  const listen = { HTTPS_LISTEN: address, GRPC_LISTEN: address, HOOK_LISTEN: plain };
  const { lines } = useExampleProgram(t, [name], { ...listen, ...env });
  await until(`${name} takes hooks`, () => lines.some(({ event }) => event === "listening"));
  return { port, hookUrl: `http://${plain}/-/reload`, metricsUrl: `http://${plain}/metrics`, lines };
}

/** Starts `examples/<name>.js` with arguments. It is killed when the test is over. */
export function useExampleProgram(
  t: Scope,
  [name, ...args]: readonly [name: string, ...args: string[]],
  env: Readonly<Record<string, string>>,
): ExampleProgram {
  const child = spawn(process.execPath, [...LOADER, `examples/${name}.js`, ...args], {
    cwd: ROOT,
    env: { ...process.env, ...env },
    stdio: ["ignore", "pipe", "inherit"],
  });
  t.after(() => void child.kill("SIGKILL"));
  return { lines: followLog(child) as readonly unknown[] as readonly ExampleLine[] };
}
