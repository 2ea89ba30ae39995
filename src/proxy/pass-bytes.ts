/** Passes bytes between a client and the target as they come: each direction ends by itself, and nothing is lost of it. */
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import { pipeline } from "node:stream/promises";

/** Connects the two, and reports when both directions are over. Never rejects. */
export async function passBetween(client: Duplex, target: Socket, reset: () => void): Promise<void> {
  // Before the pipelines, which close the other side as if all had been said.
  const resetTarget = () => {
    if (!isOver(client)) resetQuietly(target);
  };
  const resetClient = () => {
    if (!isOver(target)) reset();
  };
  // Each of the pipelines listens several times over: of one connection, that is no leak.
  for (const side of [client, target]) side.setMaxListeners(20);
  client.once("error", resetTarget).once("close", resetTarget);
  target.once("error", resetClient).once("close", resetClient);
  await Promise.allSettled([pipeline(client, target), pipeline(target, client)]);
}

/** A connection to the target that nobody needs any more, in the middle of something. */
export function resetQuietly(target: Socket): void {
  if (target.destroyed) return;
  // A unix socket knows no reset.
  if (target.remotePort === undefined) target.destroy();
  else target.resetAndDestroy();
}

function isOver({ readableEnded, writableFinished }: Duplex): boolean {
  return readableEnded && writableFinished;
}
