/** `keyturn run`: the daemon, until a signal ends it. */
import type { Config } from "../config/schema.ts";
import { type Daemon, startDaemon } from "../daemon.ts";
import { type ConfigOptions, loadCommandConfig } from "./config-file.ts";
import { startDevStack } from "./dev-stack.ts";

/** 128 and the number of the signal, as shells count it. */
const EXIT_CODES = { SIGTERM: 143, SIGINT: 130 } as const;

/** Runs until SIGTERM or SIGINT, then finishes the running reload and returns 0. A second signal ends at once. */
export async function run(options: ConfigOptions & { readonly dev?: boolean }): Promise<number> {
  const stopped = untilStopped();
  // From here to the end: by default a hang-up would end the process, in the middle of its start or its stop too.
  let onHangUp: () => void = () => undefined;
  process.on("SIGHUP", () => onHangUp());
  const dev = options.dev ? await startDevStack() : undefined;
  try {
    // Flags given by hand still win over what --dev chooses.
    const flags = { ...dev?.flags, ...options.flags };
    const daemon = await start(() => loadCommandConfig({ ...options, flags }));
    onHangUp = () => {
      // Why it failed, if so, is logged with the decision to keep the old configuration.
      daemon.reload().catch((thrown: unknown) => thrown);
    };
    dev?.announce(daemon.adminUrl);
    try {
      await Promise.race([stopped, daemon.broken]);
    } finally {
      await daemon.close();
    }
  } finally {
    await dev?.stop();
  }
  return 0;
}

async function start(loadConfig: () => Promise<Config>): Promise<Daemon> {
  const config = await loadConfig();
  // Whatever forgets to set a mode must not open a key to others.
  process.umask(0o077);
  return startDaemon({ config, loadConfig });
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
