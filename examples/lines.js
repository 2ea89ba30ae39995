/** What a service says on standard output: one line of JSON for each thing that happens. */

/**
 * Says it. `atMs` is Unix time in milliseconds, with a fraction.
 *
 * @param {string} event
 * @param {object} facts
 */
export function say(event, facts) {
  console.log(JSON.stringify({ event, atMs: nowMs(), ...facts }));
}

/** Unix time in milliseconds, with a fraction. */
export function nowMs() {
  return performance.timeOrigin + performance.now();
}

/**
 * What may be shown of a version: nothing secret.
 *
 * @param {import("keyturn").BundleVersion} version
 */
export function factsOf({ bundle, generation, digest, leaf }) {
  return { bundle, generation, digest, fingerprint256: leaf?.fingerprint256 };
}

/**
 * Says what becomes of each generation.
 *
 * @param {import("keyturn").BundleSource} source
 */
export function sayTurns(source) {
  source.on("swapped", (version, tookMs) => say("swapped", { ...factsOf(version), tookMs }));
  source.on("refused", ({ code, message }) => say("refused", { code, message }));
}
