/** What a client of the admin server may take of it: time, connections and bytes. */

/** Limits; times in milliseconds. */
export interface AdminLimits {
  /** From the connection to the end of the first request's headers. */
  readonly headersWithinMs: number;
  /** From the beginning of a request to the end of its body. */
  readonly requestWithinMs: number;
  /** How long a connection is kept for another request. */
  readonly keepAliveMs: number;
  /** How often clients are looked at, and so how much longer than the above one may have. */
  readonly lookEveryMs: number;
  /** From an answer to the time the client has taken it. */
  readonly takeWithinMs: number;
  readonly connections: number;
  /** Pages that keep themselves up to date at the same time. */
  readonly streams: number;
  /** How often an open page is told what has changed. */
  readonly updateEveryMs: number;
  /** How often it is told that the link still is. */
  readonly beatEveryMs: number;
  /** Of a body that nobody asked for: so much is passed over, so that the answer arrives. */
  readonly passedOverBytes: number;
}

/** A page of metrics may have megabytes: `connections` is what bounds how many are in memory at once. */
export const ADMIN_LIMITS: AdminLimits = {
  headersWithinMs: 5_000,
  requestWithinMs: 10_000,
  keepAliveMs: 5_000,
  lookEveryMs: 1_000,
  takeWithinMs: 30_000,
  connections: 64,
  streams: 16,
  updateEveryMs: 300,
  beatEveryMs: 10_000,
  passedOverBytes: 1 << 20,
};
