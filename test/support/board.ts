/** The status board of a node, after events. */
import type { DaemonEvent } from "../../src/core/events.ts";
import { StatusBoard } from "../../src/observe/board.ts";
import type { Status } from "../../src/observe/status.ts";

const NOW = new Date("2031-01-15T00:00:00.000Z");

/** What the board shows at 2031-01-15T00:00:00.000Z. */
export function boardAfter(...list: readonly DaemonEvent[]): Status {
  const board = new StatusBoard("gpu-017", "1.2.3", () => NOW);
  for (const event of list) board.note(event);
  return board.status();
}
