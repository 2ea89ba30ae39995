/** The status board of a node, after events. */
import type { DaemonEvent } from "../../src/core/events.ts";
import { StatusBoard } from "../../src/observe/board.ts";
import type { Status } from "../../src/observe/status.ts";

const NOW = new Date("2031-01-15T00:00:00.000Z");

/** What the board shows at 2031-01-15T00:00:00.000Z. */
export function boardAfter(...list: readonly DaemonEvent[]): Status {
  return boardAt(NOW, ...list);
}

/** What the board shows when it is asked at another time than that of the events. */
export function boardAt(asked: Date, ...list: readonly DaemonEvent[]): Status {
  let now = NOW;
  const board = new StatusBoard("gpu-017", "1.2.3", () => now);
  for (const event of list) board.note(event);
  now = asked;
  return board.status();
}
