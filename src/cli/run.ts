/** `keyturn run`: the daemon, until a signal ends it. */
import type { Config } from "../config/schema.ts";
import { startDaemon } from "../daemon.ts";
import { createLog } from "../observe/log.ts";
import { type ConfigOptions, loadCommandConfig } from "./config-file.ts";
import { startDevStack } from "./dev-stack.ts";

/** 128 and the number of the signal, as shells count it. */
const EXIT_CODES = { SIGTERM: 143, SIGINT: 130 } as const;

/** Runs until SIGTERM or SIGINT, then finishes the running reload and returns 0. A second signal ends at once. */
export async function run(options: ConfigOptions & { readonly dev?: boolean }): Promise<number> {
  const stopped = untilStopped();
  const dev = options.dev ? await startDevStack() : undefined;
  try {
    // Flags given by hand still win over what --dev chooses.
    const flags = { ...dev?.flags, ...options.flags };
    await serve(() => loadCommandConfig({ ...options, flags }), stopped, dev?.announce);
  } finally {
    await dev?.stop();
  }
  return 0;
}

async function serve(
  loadConfig: () => Promise<Config>,
  stopped: Promise<void>,
  announce: ((adminUrl: string) => void) | undefined,
): Promise<void> {
  const config = await loadConfig();
  // Whatever forgets to set a mode must not open a key to others.
  process.umask(0o077);
  const log = createLog({ ...config.log, node: config.node });
  const daemon = await startDaemon({ config, loadConfig, log });
  const onHangUp = () => {
    daemon.reload().catch(() => log.debug("the reason was logged with the decision"));
  };
  process.on("SIGHUP", onHangUp);
  announce?.(daemon.adminUrl);
  try {
    await Promise.race([stopped, daemon.broken]);
  } finally {
    process.off("SIGHUP", onHangUp);
    await daemon.close();
  }
}

function untilStopped(): Promise<void> {
  return new Promise((resolve) => {
    let stopping = false;
    for (const signal of ["SIGTERM", "SIGINT"] as const) {
      process.on(signal, () => {
        if (stopping) process.exit(EXIT_CODES[signal]);
        stopping = true;
        resolve();
      });
    }
  });
}
