/** The signals that end a command that runs until it is told to stop. */

/** 128 and the number of the signal, as shells count it. */
const EXIT_CODES = { SIGTERM: 143, SIGINT: 130 } as const;

/** Resolves at the first SIGTERM or SIGINT; a second one ends the process at once. */
export function untilStopped(): Promise<void> {
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
