/** One error class for the whole of keyturn; `code` is the contract, `message` is for a person. */

/** Every code keyturn can fail with, and whether trying the same thing again later may help. */
const retryableByCode = {
  /** The command line cannot be understood. */
  USAGE: false,
  /** The configuration file, environment or flags are wrong. */
  CONFIG_INVALID: false,
  /** etcd does not answer, or the link to it broke. */
  ETCD_UNAVAILABLE: true,
  /** etcd answers, and refuses: user, password, role, or client certificate. An operator has to act. */
  ETCD_DENIED: true,
  /** Another keyturn holds the output folder. */
  STORE_LOCKED: false,
  /** The output folder holds something keyturn will not write through: a link or a file where a folder belongs. */
  STORE_UNSAFE: false,
  /** A file operation in the output folder failed. */
  STORE_FAILED: true,
  /** The admin address cannot be listened on. */
  ADMIN_UNAVAILABLE: false,
  /** An address of the proxy cannot be listened on. */
  LISTEN_FAILED: false,
  /** No daemon answers on the admin address. */
  DAEMON_UNREACHABLE: true,
  /** There is no such bundle on this node. */
  BUNDLE_UNKNOWN: false,
  /** The bundle has no such generation on disk. */
  GENERATION_UNKNOWN: false,
  /** Nothing is current in the folder of a bundle that a service follows. */
  BUNDLE_ABSENT: true,
  /** A generation on disk cannot be used by the service that follows it: what it had before stays. */
  GENERATION_REFUSED: true,
  /** There is no earlier generation to go back to, or what should be tried again is live. */
  NOTHING_TO_DO: false,
  /** A program that keyturn needs beside it is not installed. */
  PROGRAM_MISSING: false,
  /** A program or process that keyturn started did not come up. */
  PROGRAM_FAILED: false,
} as const;

/** The codes of {@link KeyturnError}: stable, to be matched by scripts. */
export type ErrorCode = keyof typeof retryableByCode;

/** The one error keyturn throws. Foreign errors are its `cause`, converted where they enter. */
export class KeyturnError extends Error {
  readonly code: ErrorCode;

  constructor(code: ErrorCode, message: string, options?: { readonly cause?: unknown }) {
    super(message, options);
    this.name = "KeyturnError";
    this.code = code;
  }

  /** Whether the same call may succeed later without anybody changing the configuration. */
  get retryable(): boolean {
    return retryableByCode[this.code];
  }
}

/** The text of anything that was thrown, without its stack. */
export function messageOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}

/** Node's own code of a system error (`ENOSPC`, `ECONNREFUSED`), where there is one. */
export function systemCodeOf(thrown: unknown): string | undefined {
  if (typeof thrown !== "object" || thrown === null || !("code" in thrown)) return undefined;
  return typeof thrown.code === "string" ? thrown.code : undefined;
}
