/** What takes part in the rotations, and how it is started. */
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type Child, startChild } from "./child.ts";
import type { Stand } from "./stand.ts";

/** One that takes part. */
export interface Contender {
  readonly name: string;
  /** For the table. */
  readonly label: string;
  /** What it does, for who reads the table. */
  readonly what: string;
  /** Whether it is what is measured, and not what it is compared with. */
  readonly isOurs?: true;
  /** Whether its hook says that a service serves the new certificate, and not only that it is on disk. */
  readonly isVerified?: true;
  /** Why it cannot be measured here, if so. */
  readonly missing?: string;
  readonly start: (stand: Stand, url: string) => Promise<Started>;
}

/** A contender that runs. */
export interface Started {
  /** In the order they are to be stopped. */
  readonly children: readonly Child[];
  /** The key it follows; nobody else does. */
  readonly key: string;
  /** Where the certificate has to be when the hook arrives. */
  readonly file: string;
  /** Where it has to be served by then; null for a contender that does not look. */
  readonly tlsPort: number | null;
  /** Where keyturn logs its steps; null for the others. */
  readonly log: string | null;
}

/** Programs of this folder. */
const PROGRAMS = {
  floor: fileURLToPath(import.meta.resolve("./floor.ts")),
  tlsService: fileURLToPath(import.meta.resolve("./tls-service.ts")),
} as const;

/** Starts a process that logs to `dir` and ends with the stand. */
export function begin(
  { closes }: Stand,
  argv: readonly [string, ...string[]],
  dir: string,
  env?: NodeJS.ProcessEnv,
): Child {
  const child = startChild(argv, join(dir, "log"), env);
  closes.push(() => child.stop());
  return child;
}

/** Starts a program of this folder. */
export function beginProgram(
  stand: Stand,
  name: keyof typeof PROGRAMS,
  words: readonly (string | number)[],
  dir: string,
): Child {
  return begin(stand, [process.execPath, "--import", "tsx", PROGRAMS[name], ...words.map(String)], dir);
}
