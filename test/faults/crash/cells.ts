/** From what an operation changed, in order, to the places where it is broken off, each by the step it is in. */
import type { Change } from "../../support/changes.ts";
import type { Operation } from "./operations.ts";

/** A place: before this change. */
export interface Cell {
  readonly step: string;
  readonly change: Change;
  /** Changes before it. */
  readonly after: number;
}

/** Of more changes of one kind in one step, so many are broken off: the first, the last, and some between. */
const MOST_OF_A_KIND = 2;

/** All but what every start does alike. */
const EVERY_START = /^(?!lock)/;

/** Every step with every kind of call it makes. */
export function cellsOf(
  changes: readonly Change[],
  { manifests = ["9 record"], steps = EVERY_START }: Operation,
): readonly Cell[] {
  let written = 0;
  const all = changes.map((change, after): Cell => {
    const isManifest = change.path.endsWith(".new-manifest.json");
    const step = isManifest ? (manifests[written] ?? `manifest ${written + 1}`) : stepOf(change);
    if (isManifest && change.call === "renameSync") written++;
    return { step, change, after };
  });
  const kinds = new Map<string, Cell[]>();
  for (const cell of all.filter(({ step }) => steps.test(step))) {
    const kind = `${cell.step} ${cell.change.call}`;
    kinds.set(kind, [...(kinds.get(kind) ?? []), cell]);
  }
  return [...kinds.values()].flatMap((cells) => spread(cells, MOST_OF_A_KIND));
}

/**
 * What a change belongs to, by `call path to`; the first that fits. Numbers are those of src/store/steps.ts, and what has
 * none there is named for what it is.
 */
const STEPS: readonly (readonly [RegExp, string])[] = [
  [/\.generations\S*\/\.old-/, "10 retention"],
  [/\/\.old-/, "removal"],
  [/lock( |$)/, "lock"],
  [/ service|\.keyturn-new/, "plain files"],
  [/\.new-(repair|link)|^fchmodSync \S*\/\d{6}-\S*\/\w/, "repair"],
  [/^mkdirSync \S*\/\.new-\d/, "2 staging folder"],
  [/^renameSync \S*\/\.new-\d/, "4 rename"],
  [/\/\.new-\d/, "3 files"],
  [/\.new-current/, "7 flip"],
  [/\.new-/, "6 links"],
  [/^unlinkSync/, "8 settle"],
  [/^mkdirSync/, "1 folders"],
];

function stepOf({ call, path, to }: Change): string {
  const text = `${call} ${path} ${to ?? ""}`;
  const step = STEPS.find(([pattern]) => pattern.test(text))?.[1];
  if (step === undefined) throw new Error(`${text} is no step that is known here`);
  return step;
}

function spread<T>(all: readonly T[], count: number): readonly T[] {
  if (all.length <= count) return all;
  const indexes = Array.from({ length: count }, (_, i) => Math.round((i * (all.length - 1)) / (count - 1)));
  return all.filter((_, i) => indexes.includes(i));
}
