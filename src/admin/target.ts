/** The parts of a request's target, in either form of RFC 9112 §3.2; `URL` throws on `//`. */

const AUTHORITY = /^https?:\/\/([^/?#]*)/i;

/** What is asked for, without the query. */
export function pathOf(target: string): string {
  return withoutFragment(target).replace(AUTHORITY, "").replace(/\?.*$/s, "");
}

/** The query, without its question mark; empty where there is none. */
export function queryOf(target: string): string {
  return /\?(.*)$/s.exec(withoutFragment(target))?.[1] ?? "";
}

/** Host and port, where the target names them: they then count, and the Host header does not (RFC 9112 §3.2.2). */
export function authorityOf(target: string): string | undefined {
  return AUTHORITY.exec(target)?.[1];
}

function withoutFragment(target: string): string {
  return target.replace(/#.*$/s, "");
}
