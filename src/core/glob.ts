/** Names matched by patterns, for `bundles.include`, `bundles.exclude` and `services[].bundles`. */

/** Whether any pattern matches the whole name; `*` stands for any run of characters, `?` for one. */
export function matchesAny(name: string, patterns: readonly string[]): boolean {
  return patterns.some((pattern) => matches(name, pattern));
}

/** Only the last star is ever gone back to, so that the time is bounded by the product of both lengths. */
function matches(name: string, pattern: string): boolean {
  let [at, inPattern] = [0, 0];
  let star: { readonly at: number; readonly inPattern: number } | undefined;
  while (at < name.length) {
    const wanted = pattern[inPattern];
    if (wanted === "*") {
      star = { at, inPattern: ++inPattern };
    } else if (wanted === "?" || wanted === name[at]) {
      at++;
      inPattern++;
    } else if (star !== undefined) {
      star = { at: star.at + 1, inPattern: star.inPattern };
      ({ at, inPattern } = star);
    } else {
      return false;
    }
  }
  return /^\**$/.test(pattern.slice(inPattern));
}
