/** Says how long ago things were and how much is left, by the node's clock, and goes on saying it. */

/** @type {readonly (readonly [string, number])[]} */
const UNITS = [
  ["day", 86_400_000],
  ["hour", 3_600_000],
  ["minute", 60_000],
  ["second", 1_000],
];
/** What is seen without opening anything, and what is open. */
const SEEN = ["#node", "#services", "#list summary", "#list details[open] > .details"];

/** How far the node's clock is ahead of this machine's. */
let aheadMs = 0;

/** The node's clock. */
export function nodeNow() {
  return Date.now() + aheadMs;
}

/** Takes in what the node's clock says now. @param {string} iso */
export function setNodeNow(iso) {
  aheadMs = Date.parse(iso) - Date.now();
}

/** Such as `14:02:07 UTC`. @param {number} ms */
export function timeOfDay(ms) {
  return `${new Date(ms).toISOString().slice(11, 19)} UTC`;
}

/** Says it of all that is seen. */
export function tellAllTimes() {
  for (const root of document.querySelectorAll(SEEN.join())) tellTimes(root);
}

/** Says it of everything in there. @param {Element} root */
export function tellTimes(root) {
  const now = nodeNow();
  for (const time of root.querySelectorAll("time")) {
    const instant = `${time.dateTime.slice(0, 19).replace("T", " ")} UTC`;
    const ago = relative(Date.parse(time.dateTime) - now);
    const isShort = time.classList.contains("age");
    if (isShort) time.title = instant;
    setText(time, isShort ? ago : `${instant}, ${ago}`);
  }
  for (const left of root.querySelectorAll(".left[data-until]"))
    tellLeft(/** @type {HTMLElement} */ (left), now);
}

/** @param {HTMLElement} left @param {number} now */
function tellLeft(left, now) {
  const [from, until] = [Date.parse(left.dataset.from ?? ""), Date.parse(left.dataset.until ?? "")];
  const share = Math.min(1, Math.max(0, (until - now) / (until - from)));
  left.querySelector("rect")?.setAttribute("width", String(Math.round(share * 100)));
  const words = left.querySelector(".words");
  if (words !== null)
    setText(words, now > until ? `expired ${roughly(now - until)} ago` : `${roughly(until - now)} left`);
}

/** @param {number} ms */
function relative(ms) {
  if (Math.abs(ms) < 2_000) return "now";
  return ms < 0 ? `${roughly(-ms)} ago` : `in ${roughly(ms)}`;
}

/** As the server says it: whole units, of which there are at least two. @param {number} ms */
function roughly(ms) {
  const [unit, unitMs] = UNITS.find(([, unitMs]) => ms >= 2 * unitMs) ?? ["second", 1_000];
  const amount = Math.floor(ms / unitMs);
  return `${amount.toLocaleString("en")} ${unit}${amount === 1 ? "" : "s"}`;
}

/** @param {Element} element @param {string} text */
function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}
