/** The raw watch: whole revisions from a given one on, in order, until the link breaks. */
import type { Readable } from "node:stream";
import type { IDuplexStream, IEvent, IWatchRequest, IWatchResponse } from "etcd3";
import { KeyturnError } from "../core/errors.ts";
import type { Clock } from "../runtime/clock.ts";
import type { EtcdClient } from "./client.ts";
import type { KeyRange } from "./list.ts";
import { Mailbox } from "./mailbox.ts";

/** What the watch says. */
type WatchItem =
  /** Events of one or more whole transactions, oldest first. */
  | { readonly kind: "events"; readonly events: readonly IEvent[] }
  /** The revision to resume from is no longer kept: the prefix has to be listed again. */
  | { readonly kind: "compacted" }
  /** Nothing happened for `maxWaitMs`. */
  | { readonly kind: "quiet" };

/** An open watch. Only one `next` at a time. */
export interface Watch {
  /**
   * The next item.
   *
   * @throws KeyturnError ETCD_UNAVAILABLE when the link broke or the member fell silent.
   */
  next(maxWaitMs: number): Promise<WatchItem>;
  close(): void;
}

/** A member that does not confirm the watch in this time is given up. */
const CREATE_TIMEOUT_MS = 5_000;
/** After this long without a word the member is asked for one. */
const ASK_AFTER_MS = 10_000;
/** A member that was asked and says nothing for this long is given up. */
const ANSWER_TIMEOUT_MS = 5_000;
/** Answers of the member that wait here before the stream is paused, and etcd has to hold its own; each under 2 MB. */
const MAX_WAITING = 16;

type Stream = IDuplexStream<IWatchRequest, IWatchResponse> & Readable;
type Message = { readonly response: IWatchResponse } | { readonly broken: Error };

/**
 * Opens a watch on the range from `startRevision`, and waits until the member confirms it.
 *
 * @throws whatever etcd answers, or KeyturnError ETCD_UNAVAILABLE after five seconds.
 */
export async function openWatch(
  client: EtcdClient,
  range: KeyRange,
  startRevision: number,
  clock: Clock,
  signal: AbortSignal,
): Promise<Watch> {
  // etcd3 types only the events; the object is the duplex stream of grpc-js, which can be paused.
  const stream = (await client.run(() => client.etcd.watchClient.watch())) as Stream;
  const mailbox = new Mailbox<Message>();
  stream.on("data", (response) => {
    mailbox.put({ response });
    if (mailbox.size >= MAX_WAITING) stream.pause();
  });
  stream.on("error", (error) => mailbox.put({ broken: error }));
  stream.on("end", () => mailbox.put({ broken: new Error("etcd ended the watch") }));
  stream.write({
    create_request: {
      key: range.key,
      range_end: range.end,
      start_revision: String(startRevision),
      // Without it a transaction over the message limit is skipped in silence.
      fragment: true,
      progress_notify: true,
    },
  });

  const take = async (maxWaitMs: number): Promise<IWatchResponse | undefined> => {
    const message = await mailbox.take(maxWaitMs, clock, signal);
    if (mailbox.size === 0) stream.resume();
    if (message === undefined) return undefined;
    if ("broken" in message) throw message.broken;
    return message.response;
  };
  try {
    const created = await take(CREATE_TIMEOUT_MS);
    if (created === undefined) throw silent("did not confirm the watch");
    if (!created.canceled) return new ConfirmedWatch(stream, take, clock);
    if (!isCompacted(created)) throw canceled(created);
    return { next: async () => ({ kind: "compacted" }), close: () => stream.cancel() };
  } catch (thrown) {
    stream.cancel();
    throw thrown;
  }
}

/** A confirmed watch. A member that says nothing for a while is asked whether it is still there. */
class ConfirmedWatch implements Watch {
  readonly close: () => void;
  readonly #take: (maxWaitMs: number) => Promise<IWatchResponse | undefined>;
  readonly #ask: () => void;
  readonly #clock: Clock;
  readonly #fragments: IEvent[] = [];
  /** When the member was last heard or, once asked, when it was asked. */
  #since: number;
  #asked = false;

  constructor(
    stream: Stream,
    take: (maxWaitMs: number) => Promise<IWatchResponse | undefined>,
    clock: Clock,
  ) {
    this.close = () => stream.cancel();
    this.#ask = () => stream.write({ progress_request: {} });
    this.#take = take;
    this.#clock = clock;
    this.#since = clock.monotonicMs();
  }

  async next(maxWaitMs: number): Promise<WatchItem> {
    const until = this.#clock.monotonicMs() + maxWaitMs;
    for (let left = maxWaitMs; left > 0; left = until - this.#clock.monotonicMs()) {
      const response = await this.#listen(left);
      const item = response === undefined ? undefined : this.#itemOf(response);
      if (item !== undefined) return item;
    }
    return { kind: "quiet" };
  }

  /** One response, or undefined where there was none for a while. */
  async #listen(maxWaitMs: number): Promise<IWatchResponse | undefined> {
    const patienceMs = this.#asked ? ANSWER_TIMEOUT_MS : ASK_AFTER_MS;
    const leftMs = Math.max(0, patienceMs - (this.#clock.monotonicMs() - this.#since));
    const response = await this.#take(Math.min(maxWaitMs, leftMs));
    if (response === undefined && maxWaitMs < leftMs) return undefined;
    if (response === undefined && this.#asked) throw silent("fell silent");
    this.#since = this.#clock.monotonicMs();
    this.#asked = response === undefined;
    if (this.#asked) this.#ask();
    return response;
  }

  /** A transaction is handed on whole: where more fragments follow, the last revision so far waits for its end. */
  #itemOf(response: IWatchResponse): WatchItem | undefined {
    if (isCompacted(response)) return { kind: "compacted" };
    if (response.canceled) throw canceled(response);
    this.#fragments.push(...response.events);
    const whole = response.fragment ? countBeforeLastRevision(this.#fragments) : this.#fragments.length;
    return whole === 0 ? undefined : { kind: "events", events: this.#fragments.splice(0, whole) };
  }
}

function countBeforeLastRevision(events: readonly IEvent[]): number {
  const last = events.at(-1)?.kv.mod_revision;
  return Math.max(
    0,
    events.findIndex(({ kv }) => kv.mod_revision === last),
  );
}

/** The lowest revision still kept is told with the cancellation; "0" where it has another reason. */
function isCompacted({ canceled: isCanceled, compact_revision }: IWatchResponse): boolean {
  return isCanceled && compact_revision !== "0";
}

function canceled({ cancel_reason }: IWatchResponse): Error {
  return new Error(`etcd canceled the watch: ${cancel_reason || "no reason given"}`);
}

function silent(what: string): KeyturnError {
  return new KeyturnError("ETCD_UNAVAILABLE", `etcd ${what}`);
}
