/** The composition root: log, metrics, status, admin server and engine, wired, reconfigured and closed in reverse. */
import { collectDefaultMetrics, Registry } from "prom-client";
import { startAdminServer } from "./admin/server.ts";
import type { Config } from "./config/schema.ts";
import { KeyturnError, messageOf } from "./core/errors.ts";
import type { DaemonEvent, Report } from "./core/events.ts";
import type { GenerationId } from "./core/generation.ts";
import { type Engine, startEngine } from "./engine.ts";
import { StatusBoard } from "./observe/board.ts";
import { createLog, type Logger, logEvents } from "./observe/log.ts";
import { countEvents } from "./observe/metrics.ts";
import { type Clock, systemClock } from "./runtime/clock.ts";
import { CloseStack } from "./runtime/close-stack.ts";
import { version } from "./version.ts";

/** How to start a daemon. */
export interface DaemonOptions {
  readonly config: Config;
  /** Reads the configuration again, for SIGHUP and `POST /-/reload`. */
  readonly loadConfig: () => Promise<Config>;
  readonly log?: Logger;
  readonly clock?: Clock;
  /** Called for every event, besides log, metrics and status. */
  readonly onEvent?: Report;
}

/** A running daemon. */
export interface Daemon {
  /** Where metrics, health and status are. */
  readonly adminUrl: string;
  /**
   * Reads the configuration and puts it in force; where it is bad, or cannot be put in force, the old one stays.
   *
   * @throws KeyturnError with what is wrong.
   */
  reload(): Promise<void>;
  requestResync(): void;
  /** Finishes the running reload, for at most ten seconds or the `timeout` of its hook, and closes everything. */
  close(): Promise<void>;
  /** Rejects when the daemon breaks by itself. */
  readonly broken: Promise<never>;
}

/** How long a stop waits for the reload that is running. */
const GRACE_MS = 10_000;

/**
 * Starts the daemon; it works from the moment this resolves.
 *
 * @throws KeyturnError ADMIN_UNAVAILABLE, STORE_LOCKED, STORE_UNSAFE, STORE_FAILED, CONFIG_INVALID.
 */
export async function startDaemon(options: DaemonOptions): Promise<Daemon> {
  const { clock = systemClock, onEvent } = options;
  let { config } = options;
  const log = options.log ?? createLog({ ...config.log, node: config.node });
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const board = new StatusBoard(config.node, version, clock.now);
  const reports = [logEvents(log), countEvents(registry, version), board.note, ...(onEvent ? [onEvent] : [])];
  const report = (event: DaemonEvent) => {
    for (const each of reports) each(event);
  };

  let breakDown: (thrown: unknown) => void = () => undefined;
  const broken = new Promise<never>((_, reject) => {
    breakDown = reject;
  });
  // A breakdown before anybody waits for it must not end the process from elsewhere.
  broken.catch((thrown: unknown) => log.fatal({ err: thrown }, "keyturn broke down"));

  const closes = new CloseStack();
  let engine: Engine | undefined;
  let reloading: Promise<void> = Promise.resolve();
  let isClosing = false;

  function running(): Engine {
    if (engine !== undefined) return engine;
    throw new KeyturnError(
      "NOTHING_TO_DO",
      "keyturn is starting, stopping or reading its configuration: ask again",
    );
  }

  async function reload(): Promise<void> {
    const next = await options.loadConfig();
    checkChange(config, next);
    if (isClosing) throw new KeyturnError("CONFIG_INVALID", "keyturn is stopping");
    await engine?.close(GRACE_MS);
    engine = undefined;
    try {
      engine = await startEngine(next, clock, report, breakDown);
      config = next;
      log.level = next.log.level;
    } catch (thrown) {
      await goOn();
      throw thrown;
    }
  }

  /** Back to the configuration that worked. Where even that does not any more, there is nothing left to run. */
  async function goOn(): Promise<void> {
    try {
      engine = await startEngine(config, clock, report, breakDown);
    } catch (thrown) {
      breakDown(thrown);
    }
  }

  /** One after another: a second SIGHUP waits for the first. */
  function reloadInTurn(): Promise<void> {
    const turn = reloading.then(reload);
    reloading = turn.catch((thrown: unknown) => {
      log.error({ why: messageOf(thrown) }, "the new configuration is not used, the old one stays in force");
    });
    return turn.then(() => log.info("configuration was read again"));
  }

  try {
    const admin = await startAdminServer({
      listen: config.admin.listen,
      tokenFile: () => config.admin.tokenFile,
      metrics: async () => ({ contentType: registry.contentType, text: await registry.metrics() }),
      status: () => board.status(),
      reload: reloadInTurn,
      resync: () => engine?.requestResync(),
      history: (name) => {
        const generations = engine?.history(name) ?? [];
        const current = engine?.current(name)?.id ?? null;
        return generations.length === 0 ? undefined : { current, generations };
      },
      rollback: (name, to) => running().rollBack(name, to === undefined ? null : (to as GenerationId)),
      retry: (name) => running().retry(name),
      onError: (thrown) => log.warn({ why: messageOf(thrown) }, "the admin server cannot take a connection"),
    });
    closes.push(() => admin.close());
    engine = await startEngine(config, clock, report, breakDown);
    closes.push(async () => engine?.close(GRACE_MS));
    closes.push(() => reloading);
    log.info(
      { version, admin: admin.url, outputDir: config.output.dir, pid: process.pid },
      "keyturn is running",
    );
    return {
      adminUrl: admin.url,
      reload: reloadInTurn,
      requestResync: () => engine?.requestResync(),
      close: async () => {
        isClosing = true;
        log.info("keyturn is stopping");
        await closes.close();
        log.info("keyturn has stopped");
      },
      broken,
    };
  } catch (thrown) {
    await closes.close();
    throw thrown;
  }
}

/** Refuses what a running daemon cannot take over. */
function checkChange(before: Config, after: Config): void {
  const fixed = {
    node: [before.node, after.node],
    "admin.listen": [before.admin.listen, after.admin.listen],
    "log.format": [before.log.format, after.log.format],
  };
  for (const [setting, values] of Object.entries(fixed)) {
    const [old, wanted] = values.map((value) => JSON.stringify(value));
    if (old === wanted) continue;
    throw new KeyturnError("CONFIG_INVALID", `${setting} cannot be changed while running: restart keyturn`);
  }
}
