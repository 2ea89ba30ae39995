/** The composition root: log, metrics, status, admin server and engine, wired, reconfigured and closed in reverse. */
import { collectDefaultMetrics, Registry } from "prom-client";
import { startAdminServer } from "./admin/server.ts";
import { warningsHere } from "./config/named-files.ts";
import type { Config } from "./config/schema.ts";
import { KeyturnError, messageOf } from "./core/errors.ts";
import type { DaemonEvent, Report } from "./core/events.ts";
import type { GenerationId } from "./core/generation.ts";
import { shorten } from "./core/words.ts";
import { type Engine, startEngine } from "./engine.ts";
import { createAlertDesk } from "./local-alerts.ts";
import { StatusBoard } from "./observe/board.ts";
import { showBoard } from "./observe/board-gauges.ts";
import { createLog, type Logger, logEvents } from "./observe/log.ts";
import { countEvents } from "./observe/metrics.ts";
import { statusLine } from "./observe/status-line.ts";
import { type Clock, systemClock } from "./runtime/clock.ts";
import { CloseStack } from "./runtime/close-stack.ts";
import type { ConnectServiceManager } from "./service-manager/service-manager.ts";
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
  /** Tells who started this process when it is ready, reloading, stopping and alive. */
  readonly serviceManager?: ConnectServiceManager | undefined;
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
  showBoard(registry, () => board.status());
  const reports = [logEvents(log), countEvents(registry, version), board.note, ...(onEvent ? [onEvent] : [])];
  const report = (event: DaemonEvent) => {
    for (const each of reports) each(event);
  };

  const manager = options.serviceManager?.({
    status: () => statusLine(board.status()),
    onError: (thrown) => log.warn({ why: messageOf(thrown) }, "the service manager cannot be told"),
  });

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
    try {
      await engine?.close(GRACE_MS);
      engine = undefined;
      engine = await startEngine(next, clock, report, breakDown);
      config = next;
      log.level = next.log.level;
    } catch (thrown) {
      await goOn();
      throw thrown;
    }
    await warn();
  }

  /** Said once for each configuration: when it is in force. */
  async function warn(): Promise<void> {
    for (const warning of await warningsHere(config)) report({ type: "config.warned", ...warning });
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
    const turn = reloading.then(async () => {
      manager?.reloading();
      await reload();
    });
    reloading = turn.then(
      () => manager?.ready(),
      (thrown: unknown) => {
        const why = messageOf(thrown);
        log.error({ why }, "the new configuration is not used, the old one stays in force");
        manager?.ready(`the new configuration is not used: ${shorten(why)}`);
      },
    );
    return turn.then(() => log.info("configuration was read again"));
  }

  const desk = createAlertDesk({
    config: () => config,
    board,
    engine: () => engine,
    running,
    clock,
    report,
  });

  try {
    const admin = await startAdminServer({
      node: config.node,
      listen: config.admin.listen,
      now: clock.now,
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
      rollback: (name, to) => {
        const asked = { cause: "operator", why: "an operator asked for it" } as const;
        return running().rollBack(name, to === undefined ? null : (to as GenerationId), asked);
      },
      retry: (name) => running().retry(name),
      alerts: async (body) => {
        // What is begun while one engine takes the place of another comes to nothing.
        await reloading;
        return desk.take(body);
      },
      report,
      onError: (thrown) => log.warn({ why: messageOf(thrown) }, "trouble in the admin server: it goes on"),
    });
    closes.push(() => desk.settle());
    closes.push(() => admin.close());
    engine = await startEngine(config, clock, report, breakDown);
    closes.push(async () => engine?.close(GRACE_MS));
    closes.push(() => reloading);
    log.info(
      { version, admin: admin.url, outputDir: config.output.dir, pid: process.pid },
      "keyturn is running",
    );
    manager?.ready();
    await warn();
    return {
      adminUrl: admin.url,
      reload: reloadInTurn,
      requestResync: () => engine?.requestResync(),
      close: async () => {
        isClosing = true;
        log.info("keyturn is stopping");
        manager?.stopping();
        try {
          await closes.close();
        } finally {
          await manager?.close();
        }
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
