/** What a stream of tokens says: known beforehand, so that whoever reads it can compare every byte. Pure. */
import { createHash } from "node:crypto";

/** One token, as a server-sent event. */
export function tokenOf(stream: string, index: number): string {
  const text = createHash("sha256").update(`${stream}/${index}`).digest("base64url");
  return `data: {"index":${index},"text":"${text}"}\n\n`;
}

/** What comes after the last token: how many there were. */
export function endOf(count: number): string {
  return `data: [DONE] ${count}\n\n`;
}

/** What is wrong with what was read of a stream until it ended; undefined where nothing is. */
export function faultIn(stream: string, read: string): string | undefined {
  const count = Number(/data: \[DONE\] (\d+)\n\n$/.exec(read)?.[1]);
  if (Number.isNaN(count)) return `${stream}: broke off after ${read.length} bytes`;
  const tokens = Array.from({ length: count }, (_, index) => tokenOf(stream, index));
  return read === tokens.join("") + endOf(count) ? undefined : `${stream}: other bytes than were sent`;
}
