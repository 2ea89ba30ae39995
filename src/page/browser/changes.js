/** Rolling back and trying again, for who has the token: it is kept in this script's memory and nowhere else. */

/** @typedef {{ done?: boolean, outcome?: string, generation?: string, from?: string, message?: string, unfinished?: string,
 *   problems?: { code: string, message: string }[], error?: { code: string, message: string } }} Answer */

/** @type {string | undefined} */
let token;
/** Bundles about which something is asked: here, or of the server. @type {Set<string>} */
const underWay = new Set();

/** Offers it where the server does. */
export function startChanges() {
  const form = document.getElementById("token");
  if (!(form instanceof HTMLFormElement)) return;
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    void takeToken();
  });
  document.getElementById("forget")?.addEventListener("click", () => {
    setToken(undefined);
    tokenField().focus();
  });
  document.getElementById("list")?.addEventListener("click", (event) => {
    const button = event.target instanceof Element ? event.target.closest("button[data-change]") : null;
    if (button instanceof HTMLButtonElement) void changeOnce(button);
  });
}

/** A second press is no second wish: a rollback after a rollback goes one further. @param {HTMLButtonElement} button */
async function changeOnce(button) {
  const { name = "" } = button.dataset;
  if (underWay.has(name)) return;
  underWay.add(name);
  await change(button).finally(() => underWay.delete(name));
}

async function takeToken() {
  const field = tokenField();
  const given = field.value;
  say("token-answer", "Asking …");
  const { status, answer } = await post("/-/token", given);
  say("token-answer", answer.error?.message ?? "");
  if (status !== 200) return field.select();
  setToken(given);
  document.getElementById("forget")?.focus();
}

/** @param {string | undefined} next */
function setToken(next) {
  token = next;
  tokenField().value = "";
  document.body.classList.toggle("has-token", next !== undefined);
}

/** @param {HTMLButtonElement} button */
async function change(button) {
  const { change: what = "", name = "" } = button.dataset;
  if (token === undefined) return;
  /** @type {string | undefined} */
  let to;
  if (what === "rollback") {
    const confirmed = await confirmRollback(name);
    if (confirmed === undefined) return;
    if (confirmed !== "") to = confirmed;
  }
  button.setAttribute("aria-disabled", "true");
  show(button, name, what === "rollback" ? "Rolling back …" : "Trying again …", "");
  const { status, answer } = await post(
    `/-/bundles/${name}/${what}`,
    token,
    to === undefined ? undefined : { to },
  );
  button.removeAttribute("aria-disabled");
  show(button, name, wordsOf(what, answer), answer.done ? "good" : "bad");
  if (status !== 401) return;
  setToken(undefined);
  say("token-answer", answer.error?.message ?? "");
  tokenField().focus();
}

/**
 * Asks whether that is meant, and which generation.
 *
 * @param {string} name
 * @returns {Promise<string | undefined>} Undefined where it is not meant; empty for the one that was live before.
 */
async function confirmRollback(name) {
  const dialog = /** @type {HTMLDialogElement} */ (document.getElementById("confirm"));
  const choice = /** @type {HTMLSelectElement} */ (document.getElementById("confirm-to"));
  say("confirm-name", name);
  choice.replaceChildren(new Option("the newest that was live before", ""));
  for (const { id, revision } of await earlierOf(name))
    choice.append(new Option(`${id} of revision ${revision}`, id));
  dialog.returnValue = "";
  dialog.showModal();
  await new Promise((resolve) => dialog.addEventListener("close", resolve, { once: true }));
  return dialog.returnValue === "yes" ? choice.value : undefined;
}

/** Generations that were live. @param {string} name @returns {Promise<{ id: string, revision: number }[]>} */
async function earlierOf(name) {
  try {
    const { current, generations } = await (await fetch(`/bundles/${name}/history`)).json();
    return generations
      .filter(
        (/** @type {{ id: string, state: string }} */ one) => one.id !== current && one.state === "live",
      )
      .reverse();
  } catch {
    // Without the list there is still the newest one.
    return [];
  }
}

/**
 * @param {string} path @param {string} bearer @param {object} [body]
 * @returns {Promise<{ status: number, answer: Answer }>}
 */
async function post(path, bearer, body) {
  try {
    const headers = { authorization: `Bearer ${bearer}` };
    const sent = body === undefined ? null : JSON.stringify(body);
    const response = await fetch(path, { method: "POST", headers, body: sent });
    return { status: response.status, answer: await response.json() };
  } catch (thrown) {
    const message = `keyturn did not answer: ${thrown instanceof Error ? thrown.message : thrown}`;
    return { status: 0, answer: { error: { code: "NO_ANSWER", message } } };
  }
}

/** @param {string} what @param {Answer} answer */
function wordsOf(what, { done, outcome, generation, from, message, unfinished, problems = [], error }) {
  if (error !== undefined) return `${error.code}: ${error.message}`;
  const details = [message, unfinished, ...problems.map(({ code, message }) => `${code}: ${message}`)];
  const all = details.filter((one) => typeof one === "string").join("; ");
  if (!done) return `Not done (${outcome})${all === "" ? "" : `: ${all}`}`;
  const words =
    what === "rollback"
      ? `Done: ${generation} is current again, ${from} is in quarantine`
      : "Done: it is live";
  return all === "" ? words : `${words}; ${all}`;
}

/** Beside the buttons, and for who cannot see them. @param {Element} button @param {string} name @param {string} text @param {string} tone */
function show(button, name, text, tone) {
  const place = document.getElementById(`bundle-${name}`)?.querySelector(".details") ?? button.parentElement;
  let answer = place?.querySelector(":scope > [data-own]");
  if (!answer) {
    answer = document.createElement("p");
    answer.setAttribute("data-own", "");
    place?.append(answer);
  }
  answer.className = `answer ${tone}`;
  answer.textContent = text;
  say("said", `${name}: ${text}`);
}

/** @param {string} id @param {string} text */
function say(id, text) {
  const element = document.getElementById(id);
  if (element !== null) element.textContent = text;
}

function tokenField() {
  return /** @type {HTMLInputElement} */ (document.getElementById("token-text"));
}
