/** Keeps the status page up to date, without taking from its reader where they are. */
import { startChanges } from "./changes.js";
import { follow } from "./live.js";
import { elementOf, patch, patchContent } from "./patch.js";
import { allRows, applySearch, startSearch } from "./search.js";
import { setNodeNow, tellAllTimes, tellTimes } from "./times.js";

const TELL_EVERY_MS = 5_000;
const SAY_AFTER_MS = 1_000;
const MOST_SAID = 3;

const list = /** @type {HTMLElement} */ (document.getElementById("list"));
const said = /** @type {HTMLElement} */ (document.getElementById("said"));
/** What is to be said to who does not see it, by bundle. @type {Map<string, string>} */
const news = new Map();

/** @param {import("./live.js").Update} update */
function take(update) {
  // Another keyturn has another page.
  if (update.version !== document.body.dataset.version) return location.reload();
  setNodeNow(update.now);
  const goOnReading = holdPlace();
  document.title = update.title;
  for (const [id, markup] of Object.entries(update.parts)) {
    const element = document.getElementById(id);
    if (element !== null) patchContent(element, markup);
  }
  for (const [name, markup] of Object.entries(update.bundles)) takeRow(name, elementOf(markup));
  if (update.order !== null) arrange(update.order);
  applySearch();
  tellAllTimes();
  goOnReading();
}

/** @param {string} name @param {HTMLElement} fresh */
function takeRow(name, fresh) {
  const row = rowOf(name);
  const isNews = row?.dataset.state !== fresh.dataset.state && !fresh.classList.contains("moving");
  if (isNews) note(name, fresh.dataset.state ?? "");
  if (row === null) return list.append(fresh);
  const later = fresh.querySelector(".details[data-later]");
  const shown = row.querySelector("details[open] > .details:not([data-later])");
  // What is open is not closed over an update that leaves it to be asked for.
  if (later !== null && shown !== null) later.replaceWith(shown.cloneNode(true));
  patch(row, fresh);
  if (later !== null && shown !== null) void load(name, shown);
}

/** Puts the rows into that order, and takes away those that are not in it; moves as few as it can. @param {string[]} order */
function arrange(order) {
  const wanted = new Set(order);
  for (const row of allRows()) if (!wanted.has(row.dataset.name ?? "")) row.remove();
  let at = list.firstElementChild;
  for (const name of order) {
    const row = rowOf(name);
    if (row === null) continue;
    if (row !== at && at?.nextElementSibling === row) {
      // Not this row has moved up, the one above it has gone down.
      move(at, null);
      at = row;
    }
    if (row === at) at = row.nextElementSibling;
    else move(row, at);
  }
}

/** Moves a row with the focus in it. @param {Element} row @param {Element | null} before */
function move(row, before) {
  const focused = row.contains(document.activeElement) ? document.activeElement : null;
  list.insertBefore(row, before);
  if (focused instanceof HTMLElement) focused.focus({ preventScroll: true });
}

/** Remembers what is being read; the result puts it back where it was. At the top nothing is held: what is worst comes there. */
function holdPlace() {
  if (window.scrollY === 0) return () => undefined;
  const focused = document.activeElement?.closest("#list > li") ?? null;
  const isSeen = focused !== null && focused.getBoundingClientRect().bottom > 0;
  const held = isSeen
    ? focused
    : allRows().find((row) => !row.hidden && row.getBoundingClientRect().bottom > 0);
  const before = held?.getBoundingClientRect().top ?? 0;
  return () => {
    if (held?.isConnected)
      window.scrollBy({ top: held.getBoundingClientRect().top - before, behavior: "instant" });
  };
}

/** Has it said, with whatever else changes at about the same time. @param {string} name @param {string} state */
function note(name, state) {
  if (news.size === 0) setTimeout(sayNews, SAY_AFTER_MS);
  news.set(name, state);
}

function sayNews() {
  const all = [...news].map(([name, state]) => `${name}: ${state}`);
  said.textContent =
    all.length <= MOST_SAID ? all.join(", ") : `${all.length} bundles have another state now`;
  news.clear();
}

/** @param {Event} event */
async function opened({ target }) {
  if (!(target instanceof HTMLDetailsElement) || !target.open) return;
  const details = target.querySelector(".details");
  if (!(details instanceof HTMLElement)) return;
  const name = details.dataset.later;
  if (name !== undefined) await load(name, details);
  tellTimes(details);
}

/** Fetches what opens below a row. @param {string} name @param {Element} details */
async function load(name, details) {
  const response = await fetch(`/page/bundles/${name}`);
  if (!response.ok) return;
  patchContent(details, await response.text());
  details.removeAttribute("data-later");
  tellTimes(details);
}

/** @param {string} name */
function rowOf(name) {
  return document.getElementById(`bundle-${name}`);
}

document.body.classList.add("scripts");
setNodeNow(document.body.dataset.now ?? "");
startSearch();
startChanges();
list.addEventListener("toggle", (event) => void opened(event), { capture: true });
tellAllTimes();
setInterval(tellAllTimes, TELL_EVERY_MS);
follow(document.body.dataset.since ?? "", take);
