/** What may be said of a redirect: that it is none of ours to follow, and the origin it points to. */

/** The statuses that ask to go elsewhere with the same message (RFC 9110 §15.4). */
const REDIRECTS = new Set([301, 302, 303, 307, 308]);
/** A host name has at most 253 characters. */
const MAX_ORIGIN_CHARS = 280;

/**
 * Advice on a redirect; undefined where the status is none.
 *
 * @param location Its `Location`, of which path, query and credentials are left out: they may hold a token.
 * @param url What was asked, to which a relative location belongs.
 */
export function adviceOnRedirect(
  status: number,
  location: string | undefined,
  url: string,
): string | undefined {
  if (!REDIRECTS.has(status)) return undefined;
  const origin = location === undefined ? undefined : originOf(location, url);
  const points = origin === undefined ? "" : `, and this one points to ${origin}`;
  return `redirects are not followed${points}; set url to the address that answers by itself`;
}

function originOf(location: string, url: string): string | undefined {
  if (!URL.canParse(location, url)) return undefined;
  const { protocol, origin } = new URL(location, url);
  return /^https?:$/.test(protocol) && origin.length <= MAX_ORIGIN_CHARS ? origin : undefined;
}
