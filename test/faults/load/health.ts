/** Asks a daemon for its health all the time, as a supervisor does that kills what does not answer. */
import { setTimeout as sleep } from "node:timers/promises";

/** How long a supervisor waits for an answer before it takes the daemon for dead. */
const PATIENCE_MS = 10_000;
const ASK_EVERY_MS = 50;

/** Watching that runs. */
export interface HealthWatch {
  /** Ends it; gives how often it was asked, and why it did not answer each time that it did not. */
  stop(): Promise<{ readonly asked: number; readonly failures: readonly string[] }>;
}

/** Begins to ask. */
export function watchHealth(adminUrl: string): HealthWatch {
  const failures: string[] = [];
  let asked = 0;
  let isOver = false;
  const watch = async () => {
    while (!isOver) {
      asked++;
      try {
        const answer = await fetch(`${adminUrl}/healthz`, { signal: AbortSignal.timeout(PATIENCE_MS) });
        if (!answer.ok) failures.push(`it answered ${answer.status}`);
      } catch (thrown) {
        failures.push(String(thrown));
      }
      await sleep(ASK_EVERY_MS);
    }
  };
  const watching = watch();
  return {
    stop: async () => {
      isOver = true;
      await watching;
      return { asked, failures };
    },
  };
}
