/** A service that serves by TLS what it was last told of, and remembers each hook: what a daemon does, seen from outside. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { shakeHands } from "./handshakes.ts";
import { type HookReceiver, useHookReceiver } from "./hook-receiver.ts";
import { useTlsService } from "./tls-service.ts";

/** A service that runs. */
export interface Witness {
  readonly hooks: HookReceiver["hooks"];
  /** Hooks that named files which were not there. */
  readonly misled: readonly string[];
  /** What `services` of a configuration says of it. */
  readonly settings: { readonly name: string; readonly bundles: readonly string[]; readonly notify: object };
  /** SHA-256 of the leaf that a new connection gets, where its chain is trusted. */
  served(ca: string): Promise<string>;
}

/** Starts it; it is closed when the test is over. */
export async function useWitness(t: TestContext): Promise<Witness> {
  const tls = await useTlsService(t);
  const misled: string[] = [];
  const receiver = await useHookReceiver(t, {
    answer: ({ event }, respond) => {
      const { dir, combined } = event.data.paths;
      if (combined === null || !existsSync(combined)) misled.push(`${event.data.generation}: ${combined}`);
      else
        tls.serve({ chain: readFileSync(join(dir, "tls.crt"), "utf8"), key: readFileSync(combined, "utf8") });
      respond.writeHead(204).end();
    },
  });
  return {
    hooks: receiver.hooks,
    misled,
    settings: { name: "vllm", bundles: ["*"], notify: { http: { url: receiver.url } } },
    served: (ca) => shakeHands({ port: tls.port, serverName: "inference.local", ca }),
  };
}
