/** Streams of tokens that a server has open, whatever protocol they go by. */
import { endOf, tokenOf } from "./tokens.ts";

/** Where the tokens of one stream go. */
export interface Sink {
  write(text: string): void;
  end(): void;
}

/** All streams of one server: a token each at every tick. */
export class TokenStreams {
  readonly #open = new Map<Sink, { readonly name: string; count: number }>();

  /** Opens one, with its first token at once. @returns Forgets it, where it broke. */
  open(name: string, sink: Sink): () => void {
    sink.write(tokenOf(name, 0));
    this.#open.set(sink, { name, count: 1 });
    return () => void this.#open.delete(sink);
  }

  tick(): void {
    for (const [sink, stream] of this.#open) sink.write(tokenOf(stream.name, stream.count++));
  }

  /** Ends all of them. */
  finish(): void {
    for (const [sink, { count }] of this.#open) {
      sink.write(endOf(count));
      sink.end();
    }
    this.#open.clear();
  }
}
