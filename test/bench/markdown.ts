/** Numbers as Markdown. Pure. */

/** The value that a share `p` of the values does not exceed (nearest rank). */
export function percentile(values: readonly number[], p: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(p * sorted.length) - 1)] ?? Number.NaN;
}

/** A table: words in its first column, numbers in the others. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(" | ")} |`;
  return [line(head), line(head.map((_, column) => (column === 0 ? "---" : "---:"))), ...rows.map(line)].join(
    "\n",
  );
}

/** What each row of a table is. */
export function legend(rows: readonly { readonly label: string; readonly what: string }[]): string {
  return rows.map(({ label, what }) => `- **${label}**: ${what}`).join("\n");
}

/** Milliseconds. */
export function ms(value: number): string {
  return `${value.toFixed(1)} ms`;
}

/** A ratio. */
export function times(ratio: number): string {
  return `${ratio.toFixed(2)}×`;
}
