/** Tells systemd what the daemon is doing, in order, and that it is alive: `Type=notify` and `WatchdogSec=` of its unit. */
import { repeat } from "../runtime/clock.ts";
import { notifySystemd } from "./systemd-notify.ts";

/** The service manager that started this process. */
interface ServiceManager {
  /**
   * The daemon works; from the first time on, watchdog messages are sent.
   *
   * @param note Shown in place of the status until that changes.
   */
  ready(note?: string): void;
  /** The configuration is read again; {@link ServiceManager.ready} says that this is over. */
  reloading(): void;
  stopping(): void;
  /** Waits until everything was told. */
  close(): Promise<void>;
}

/** How to talk to it. */
interface ServiceManagerOptions {
  /** One line for `systemctl status`; asked for now and then, and sent where it changed. */
  readonly status: () => string;
  /** Told once, until a message gets through again. */
  readonly onError: (thrown: unknown) => void;
}

/** Makes the connection, once there is a status to tell. */
export type ConnectServiceManager = (options: ServiceManagerOptions) => ServiceManager;

/** Between two looks whether the status changed. */
const STATUS_EVERY_MS = 5_000;

/**
 * Takes what systemd said out of the environment, so that no child process speaks for this one.
 *
 * @returns undefined where no service manager waits for messages.
 */
export function takeServiceManager(env: NodeJS.ProcessEnv): ConnectServiceManager | undefined {
  const { NOTIFY_SOCKET: socket, WATCHDOG_USEC: watchdogUs, WATCHDOG_PID: watchedPid } = env;
  for (const name of ["NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"]) delete env[name];
  if (!socket) return undefined;
  const isWatched = watchedPid === undefined || watchedPid === String(process.pid);
  const watchdogMs = isWatched ? Number(watchdogUs ?? 0) / 1_000 : 0;
  return (options) => connect(socket, watchdogMs > 0 ? watchdogMs : undefined, options);
}

function connect(
  socket: string,
  watchdogMs: number | undefined,
  { status: readStatus, onError }: ServiceManagerOptions,
): ServiceManager {
  /** Messages on their way, one after another. */
  let sending: Promise<void> = Promise.resolve();
  let isStopping = false;
  let isFailing = false;
  let lastStatus = "";
  let stopBeats: (() => void) | undefined;

  function send(assignments: readonly string[]): Promise<void> {
    sending = sending.then(async () => {
      try {
        await notifySystemd(socket, assignments);
        isFailing = false;
      } catch (thrown) {
        if (!isFailing) onError(thrown);
        isFailing = true;
      }
    });
    return sending;
  }

  /** The status, where it is not the one that was told last. */
  function takeNews(): string[] {
    const status = readStatus();
    if (status === lastStatus) return [];
    lastStatus = status;
    return [statusLine(status)];
  }

  /** Timers of the event loop: one that no longer turns sends nothing, and systemd ends the process. */
  function startBeats(): () => void {
    const tellNews = async () => {
      const news = takeNews();
      if (news.length > 0) await send(news);
    };
    const stops = [repeat(STATUS_EVERY_MS, oneAtATime(tellNews))];
    const tellAlive = () => send(["WATCHDOG=1", ...takeNews()]);
    if (watchdogMs !== undefined) stops.push(repeat(watchdogMs / 2, oneAtATime(tellAlive)));
    return () => {
      for (const stop of stops) stop();
    };
  }

  return {
    ready: (note) => {
      if (isStopping) return;
      lastStatus = readStatus();
      void send(["READY=1", statusLine(note ?? lastStatus)]);
      stopBeats ??= startBeats();
    },
    reloading: () => {
      if (!isStopping) void send(["RELOADING=1", statusLine("reading the configuration again")]);
    },
    stopping: () => {
      isStopping = true;
      stopBeats?.();
      void send(["STOPPING=1", statusLine("stopping")]);
    },
    close: () => sending,
  };
}

/** Passes over a call while the one before goes on: a message that waits says the same. */
function oneAtATime(task: () => Promise<void>): () => void {
  let isBusy = false;
  return () => {
    if (isBusy) return;
    isBusy = true;
    void task().finally(() => {
      isBusy = false;
    });
  };
}

/** A line break would begin the next assignment. */
function statusLine(status: string): string {
  return `STATUS=${status.replaceAll(/\s+/g, " ")}`;
}
