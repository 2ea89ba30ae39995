/** `keyturn run`: the daemon, until a signal ends it. */
import type { Config } from "../config/schema.ts";
import { type Daemon, startDaemon } from "../daemon.ts";
import { takeServiceManager } from "../service-manager/service-manager.ts";
import { type ConfigOptions, DEFAULT_FILES, findConfigFile, loadCommandConfig } from "./config-file.ts";
import { startDevStack } from "./dev-stack.ts";
import { printError } from "./print.ts";
import { untilStopped } from "./until-stopped.ts";

/** Runs until SIGTERM or SIGINT, then finishes the running reload and returns 0. A second signal ends at once. */
export async function run(options: ConfigOptions & { readonly dev?: boolean }): Promise<number> {
  const stopped = untilStopped();
  // From here to the end: by default a hang-up would end the process, in the middle of its start or its stop too.
  let onHangUp: () => void = () => undefined;
  process.on("SIGHUP", () => onHangUp());
  if (!options.dev) await sayWhereThereIsNone(options);
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

/** It is no mistake, but whoever starts keyturn for the first time may believe that their file is in force. */
async function sayWhereThereIsNone(options: ConfigOptions): Promise<void> {
  if ((await findConfigFile(options)) !== undefined) return;
  const places = DEFAULT_FILES.join(" or ");
  const hint = "flags, variables and defaults are in force: see `keyturn check-config`";
  printError(`keyturn: there is no configuration file (${places}, or --config FILE); ${hint}`);
}

async function start(loadConfig: () => Promise<Config>): Promise<Daemon> {
  const config = await loadConfig();
  // Whatever forgets to set a mode must not open a key to others.
  process.umask(0o077);
  return startDaemon({ config, loadConfig, serviceManager: takeServiceManager(process.env) });
}
