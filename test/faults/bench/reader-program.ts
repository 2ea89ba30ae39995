/**
 * The program of a reader that opens files as a careless service would, over and over, as fast as it can.
 *
 * Two ways are promised to be whole: one open(2) of the combined file, and `current` resolved once. The bundles are
 * the arguments, each as its folder; the count is sent when it is told to stop.
 */
import { createPrivateKey, X509Certificate } from "node:crypto";
import { readFileSync, readlinkSync } from "node:fs";
import { join } from "node:path";
import { setImmediate as nextTurn } from "node:timers/promises";

/** What was read. */
export interface ReaderCount {
  combined: number;
  resolved: number;
  /** Reads of something that is not a key with its certificate, in words. */
  readonly torn: string[];
}

const folders = process.argv.slice(2);
const count: ReaderCount = { combined: 0, resolved: 0, torn: [] };
/** Texts that were proven whole; each is read many times. */
const known = new Set<string>();
const MOST_KNOWN = 1_000;
let isOver = false;

function judge(what: string, text: string): void {
  if (known.has(text)) return;
  if (known.size > MOST_KNOWN) known.clear();
  try {
    if (!new X509Certificate(text).checkPrivateKey(createPrivateKey(text)))
      throw new Error("the key is another's");
    known.add(text);
  } catch (thrown) {
    count.torn.push(`${what} (${text.length} bytes): ${thrown}`);
  }
}

function readCombined(folder: string): void {
  const text = readFileSync(join(folder, "tls.pem"), "utf8");
  count.combined++;
  judge(`${folder}/tls.pem`, text);
}

function readResolved(folder: string): void {
  const generation = join(folder, readlinkSync(join(folder, "current")));
  const [key, chain] = ["tls.key", "tls.crt"].map((name) => readFileSync(join(generation, name), "utf8"));
  count.resolved++;
  judge(generation, `${key}${chain}`);
}

process.on("message", () => {
  isOver = true;
});
process.on("disconnect", () => process.exit(0));
while (!isOver) {
  for (const folder of folders) {
    for (const read of [readCombined, readResolved]) {
      try {
        read(folder);
      } catch (thrown) {
        // Every bundle was there before the reader began, and none is ever taken away.
        count.torn.push(String(thrown));
      }
    }
  }
  await nextTurn();
}
process.send?.(count, () => process.disconnect());
