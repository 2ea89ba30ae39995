/** Finds bundles while somebody types; without scripts the server does the same. */

/** Every row. @returns {HTMLElement[]} */
export function allRows() {
  return [...document.querySelectorAll("#list > li")].map((row) => /** @type {HTMLElement} */ (row));
}

const field = /** @type {HTMLInputElement} */ (document.getElementById("query"));
const found = /** @type {HTMLOutputElement} */ (document.getElementById("found"));

/** Shows the rows in which every word of the query is, and hides the others. */
export function applySearch() {
  const words = field.value.trim().toLowerCase().split(/\s+/);
  const rows = allRows();
  let amount = 0;
  for (const row of rows) {
    const isFound = words.every((word) => row.dataset.find?.includes(word));
    if (isFound) amount++;
    if (row.hidden === isFound) row.hidden = !isFound;
  }
  const text = amount === rows.length ? "" : `${amount} of ${rows.length}`;
  if (found.textContent !== text) found.textContent = text;
}

/** Searches from now on. */
export function startSearch() {
  field.addEventListener("input", search);
  field.form?.addEventListener("submit", (event) => {
    event.preventDefault();
    search();
  });
  document.getElementById("counts")?.addEventListener("click", (event) => {
    const link = event.target instanceof Element ? event.target.closest("a") : null;
    if (link === null || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    const query = link.dataset.query ?? "";
    field.value = field.value === query ? "" : query;
    search();
  });
  applySearch();
}

function search() {
  applySearch();
  const query = field.value.trim();
  history.replaceState(null, "", query === "" ? "/" : `/?q=${encodeURIComponent(query)}`);
}
