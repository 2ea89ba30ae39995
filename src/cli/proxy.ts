/** `keyturn proxy`: the sidecar, until a signal ends it. */
import { hostname } from "node:os";
import { createLog } from "../observe/log.ts";
import { type RunningProxy, startProxy } from "../proxy/proxy.ts";
import { isLocal, type ProxyFlags, readProxyFlags } from "./proxy-settings.ts";
import { untilStopped } from "./until-stopped.ts";

/** Runs until SIGTERM or SIGINT, then drains and returns 0. A second signal ends at once. SIGHUP has it look at the disk. */
export async function proxy(flags: ProxyFlags): Promise<number> {
  const { settings, drainMs } = readProxyFlags(flags);
  const { logLevel: level, logFormat: format } = flags;
  const log = createLog({ level, format, node: hostname() });
  if (!isLocal(settings.to)) {
    log.warn({ to: flags.to }, "what is passed on leaves TLS here: the target should be on this node");
  }
  const stopped = untilStopped();
  let running: RunningProxy | undefined;
  // Also while it waits: by default a hang-up would end the process.
  process.on("SIGHUP", () => void running?.reload());
  const waiting = new AbortController();
  void stopped.then(() => waiting.abort());
  try {
    running = await startProxy(settings, log, waiting.signal);
  } catch (thrown) {
    if (waiting.signal.aborted) return 0;
    throw thrown;
  }
  await stopped;
  await running.drain(drainMs);
  return 0;
}
