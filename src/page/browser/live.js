/** The stream of what changes: followed, begun again where it breaks, and said to be lost where it is. */
import { nodeNow, timeOfDay } from "./times.js";

/** @typedef {{ now: string, version: string, title: string, parts: Record<string, string>, order: string[] | null,
 *   bundles: Record<string, string> }} Update */

/** The server says something at least every ten seconds. */
const SILENT_MS = 25_000;
const AGAIN_MS = 5_000;

const link = /** @type {HTMLElement} */ (document.getElementById("link"));

/**
 * Follows it.
 *
 * @param {string} place What the page shows already.
 * @param {(update: Update) => void} take Takes what changed.
 */
export function follow(place, take) {
  let heardAt = Date.now();
  /** @type {EventSource | undefined} */
  let source;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let again;

  const open = () => {
    clearTimeout(again);
    again = undefined;
    heardAt = Date.now();
    source?.close();
    const stream = new EventSource(`/events?since=${encodeURIComponent(place)}`);
    source = stream;
    const hear = () => {
      heardAt = Date.now();
      say(undefined);
    };
    stream.addEventListener("open", hear);
    stream.addEventListener("beat", hear);
    stream.addEventListener("update", (event) => {
      hear();
      place = event.lastEventId;
      take(JSON.parse(event.data));
    });
    stream.addEventListener("error", () => {
      lose();
      // The browser comes back by itself where the link broke, not where it was answered something else.
      if (stream.readyState === EventSource.CLOSED) again ??= setTimeout(open, AGAIN_MS);
    });
  };

  const lose = () => say(nodeNow() - (Date.now() - heardAt));

  setInterval(() => {
    if (Date.now() - heardAt <= SILENT_MS || again !== undefined) return;
    lose();
    open();
  }, 1_000);
  open();
}

/** @param {number | undefined} lostAt By the node's clock; undefined where the link is there. */
function say(lostAt) {
  const isLost = lostAt !== undefined;
  const wasLost = document.body.classList.contains("lost");
  // The first loss is the one that counts: the page is as old as that.
  if (isLost && wasLost) return;
  document.body.classList.toggle("lost", isLost);
  document.body.classList.toggle("live", !isLost);
  const text = isLost
    ? `No link to keyturn since ${timeOfDay(lostAt)}: this page shows what was so then. It keeps trying.`
    : "Live";
  if (link.textContent !== text) link.textContent = text;
}
