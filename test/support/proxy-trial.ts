/** The recipe of a proxy tried: an engine behind it, a stream and a kept connection that live through all rotations. */
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { freePorts } from "../../src/dev/etcd.ts";
import { useEngine } from "./engine.ts";
import { type StreamSeen, useKeptClient, useStream } from "./live-clients.ts";
import { type Recipe, type Replacements, readRecipe } from "./recipe.ts";
import { SERVER_NAME, startTrial } from "./recipe-trial.ts";
import type { RotationsSeen } from "./rotations.ts";
import { useStand } from "./stand.ts";

/** What clients saw of ten rotations. */
export interface ProxySeen extends RotationsSeen {
  readonly stream: StreamSeen;
  /** Connections of the client that would have kept its first one. */
  readonly connections: number;
}

/** A proxy to be set up. */
export interface ProxyTrial {
  /** An empty folder for its files. */
  readonly home: string;
  readonly port: number;
  readonly recipe: Recipe;
  /**
   * Tries it.
   *
   * @param heading That of keyturn's half, where the page has more than one.
   */
  run(start: () => Promise<unknown>, heading?: string): Promise<ProxySeen>;
}

/**
 * Reads the page.
 *
 * @param replace What it says besides that which every page of a proxy does, and what is there in this test.
 */
export async function useProxyTrial(
  t: TestContext,
  name: string,
  replace: (home: string, port: number, outputDir: string) => Replacements,
): Promise<ProxyTrial> {
  const [stand, engine, [port = 0]] = await Promise.all([useStand(t), useEngine(t), freePorts(1)]);
  const home = join(stand.folder, name);
  await mkdir(home);
  const recipe = await readRecipe(name, {
    "127.0.0.1:8443": `127.0.0.1:${port}`,
    "127.0.0.1:8000": `127.0.0.1:${engine.port}`,
    ...replace(home, port, join(stand.folder, "output")),
  });
  const target = { port, serverName: SERVER_NAME, ca: stand.pki.root.certificatePem };
  return {
    home,
    port,
    recipe,
    run: async (start, heading) => {
      const running = await startTrial(t, { stand, recipe, heading, target, start });
      const stream = await useStream(t, target);
      const kept = useKeptClient(t, target);
      await kept.ask();
      const seen = await running.rotate(() => kept.ask());
      engine.finish();
      const { isWhole, tokens } = await stream.end();
      const [connections, resent] = [kept.connections(), kept.resent()];
      t.diagnostic(`a stream of ${tokens} tokens ${isWhole ? "was whole" : "was cut"}`);
      t.diagnostic(
        `the client that keeps its connection had ${connections}, and sent ${resent} requests again`,
      );
      return { ...seen, stream: { isWhole, tokens }, connections };
    },
  };
}
