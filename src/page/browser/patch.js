/** Makes what is on the page what the server says it is now, in place: focus, selection and what is open stay. */

/** What somebody chose on the page, and what its own scripts are at, which no update undoes. */
const KEPT = new Map([
  ["BUTTON", "aria-disabled"],
  ["DETAILS", "open"],
  ["LI", "hidden"],
]);

/** Gives the element the content of the markup. @param {Element} element @param {string} markup */
export function patchContent(element, markup) {
  const fresh = /** @type {Element} */ (element.cloneNode(false));
  fresh.innerHTML = markup;
  patchChildren(element, fresh);
}

/** The one element of the markup. @param {string} markup @returns {HTMLElement} */
export function elementOf(markup) {
  const template = document.createElement("template");
  template.innerHTML = markup;
  return /** @type {HTMLElement} */ (template.content.firstElementChild);
}

/** Makes the old element what the fresh one is; both are of one kind. @param {Element} old @param {Element} fresh */
export function patch(old, fresh) {
  // How long ago an instant is was written in its place.
  if (old instanceof HTMLTimeElement && old.dateTime === fresh.getAttribute("datetime")) return;
  for (const name of old.getAttributeNames()) {
    if (!fresh.hasAttribute(name) && KEPT.get(old.tagName) !== name) old.removeAttribute(name);
  }
  for (const { name, value } of fresh.attributes) {
    if (old.getAttribute(name) !== value) old.setAttribute(name, value);
  }
  patchChildren(old, fresh);
}

/** @param {Element} old @param {Element} fresh */
function patchChildren(old, fresh) {
  // What the page's own script put there, such as the answer to a button, is not the server's to take away.
  const before = [...old.childNodes].filter(
    (node) => !(node instanceof HTMLElement && "own" in node.dataset),
  );
  const after = [...fresh.childNodes];
  for (const [at, node] of after.entries()) {
    const there = before[at];
    if (there === undefined) old.append(node);
    else if (there.nodeName !== node.nodeName) there.replaceWith(node);
    else if (there instanceof Element && node instanceof Element) patch(there, node);
    else if (there.nodeValue !== node.nodeValue) there.nodeValue = node.nodeValue;
  }
  for (const node of before.slice(after.length)) node.remove();
}
