/** Open pages that are told what changes, over server-sent events (HTML Living Standard §9.2). */
import type { ServerResponse } from "node:http";
import type { Socket } from "node:net";
import type { PageChanges } from "../page/changes.ts";
import { later, repeat } from "../runtime/clock.ts";
import type { AdminLimits } from "./limits.ts";

/** How long a page waits before it comes back after its stream broke. */
const RETRY_MS = 2_000;

interface Stream {
  readonly response: ServerResponse;
  /** What it was told so far. */
  place: string;
  /** Takes back that it is cut off; undefined where it has taken everything. */
  takeBack: (() => void) | undefined;
}

/**
 * Keeps them. A page is told nothing more before it has taken what it was told last, and then everything since at once:
 * for a slow one no more than one message is kept. One that takes nothing in time is cut off.
 */
export class Streams {
  readonly #changes: PageChanges;
  readonly #limits: AdminLimits;
  readonly #onError: (thrown: unknown) => void;
  readonly #open = new Map<Socket, Stream>();
  #stop: (() => void) | undefined;

  /** @param onError Told why what changed cannot be told: a fault of keyturn, which ends the streams and nothing else. */
  constructor(changes: PageChanges, limits: AdminLimits, onError: (thrown: unknown) => void) {
    this.#changes = changes;
    this.#limits = limits;
    this.#onError = onError;
  }

  get isFull(): boolean {
    return this.#open.size >= this.#limits.streams;
  }

  /** Whether the connection is a stream: nothing else may be asked on it. */
  has(socket: Socket): boolean {
    return this.#open.has(socket);
  }

  /** Tells the page what is so since that place, and resolves when it is gone. */
  async serve(response: ServerResponse, place: string): Promise<void> {
    const { socket } = response.req;
    if (socket.destroyed) return;
    const stream: Stream = { response, place, takeBack: undefined };
    this.#open.set(socket, stream);
    const gone = new Promise<void>((resolve) => response.once("close", resolve));
    response.on("drain", () => {
      stream.takeBack?.();
      stream.takeBack = undefined;
    });
    response.writeHead(200, {
      "content-type": "text/event-stream",
      "cache-control": "no-store",
      "x-content-type-options": "nosniff",
      connection: "close",
    });
    this.#write(stream, `retry: ${RETRY_MS}\n\n`);
    this.#stop ??= this.#begin();
    this.#tellAll([stream]);
    await gone;
    stream.takeBack?.();
    this.#open.delete(socket);
    if (this.#open.size > 0) return;
    this.#stop?.();
    this.#stop = undefined;
  }

  #begin(): () => void {
    const stops = [
      repeat(this.#limits.updateEveryMs, () => this.#tellAll(this.#open.values())),
      repeat(this.#limits.beatEveryMs, () => {
        for (const stream of this.#open.values()) this.#beat(stream);
      }),
    ];
    return () => {
      for (const stop of stops) stop();
    };
  }

  #tellAll(streams: Iterable<Stream>): void {
    try {
      this.#changes.refresh();
      for (const stream of streams) this.#tell(stream);
    } catch (thrown) {
      this.#onError(thrown);
      for (const { response } of this.#open.values()) response.destroy();
    }
  }

  #tell(stream: Stream): void {
    if (stream.takeBack !== undefined) return;
    const message = this.#changes.since(stream.place);
    if (message === undefined) return;
    stream.place = this.#changes.place;
    this.#write(stream, message);
  }

  /** So that a page can tell a link that is quiet from one that is lost. */
  #beat(stream: Stream): void {
    if (stream.takeBack === undefined) this.#write(stream, "event: beat\ndata:\n\n");
  }

  #write(stream: Stream, message: string | Buffer): void {
    if (stream.response.write(message)) return;
    stream.takeBack ??= later(this.#limits.takeWithinMs, () => stream.response.destroy());
  }
}
