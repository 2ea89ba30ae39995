/** The library: the daemon inside a program of your own, and the digest it goes by. */
export { loadConfig } from "./config/load.ts";
export type { Config } from "./config/schema.ts";
export type { Digest } from "./core/digest.ts";
export { type ErrorCode, KeyturnError } from "./core/errors.ts";
export type { DaemonEvent } from "./core/events.ts";
export { type Daemon, type DaemonOptions, startDaemon } from "./daemon.ts";
export type { Status } from "./observe/status.ts";
