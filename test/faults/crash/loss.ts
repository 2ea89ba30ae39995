/** The ways in which a power cut loses what was not fsynced, at every step of what was done. */
import { type Disk, textOf } from "./disk.ts";
import { type Choose, diskAfter, type Step } from "./steps.ts";

/** A disk after the power failed. */
export interface Remains {
  readonly title: string;
  readonly disk: Disk;
}

const EXTREMES: readonly (readonly [string, Choose])[] = [
  ["nothing but what was fsynced", () => "lost"],
  ["everything", () => "kept"],
  ["names, and files without bytes", ({ what }) => (what === "bytes" ? "lost" : "kept")],
  ["names, and files of zeroes", ({ what }) => (what === "bytes" ? "zeroes" : "kept")],
];

/** Ways to lose what was not fsynced, at each step: extremes, and so many in between of either kind. */
export function waysToLose(random: () => number, steps: number, samples: number) {
  const part = () => (["kept", "lost", "half", "zeroes"] as const)[Math.floor(random() * 4)] ?? "kept";
  const inOrder = (): readonly [string, Choose] => {
    const cut = Math.floor(random() * (steps + 1));
    return [
      `names up to step ${cut}`,
      ({ what }, i) => (what === "bytes" ? part() : i < cut ? "kept" : "lost"),
    ];
  };
  const any = (): readonly [string, Choose] => {
    let isAllKept = true;
    const choose: Choose = (step) => {
      if (step.what === "bytes") return part();
      const isRemoval = step.what === "name" && step.to === undefined;
      const isKept = isRemoval ? isAllKept : random() < 0.5;
      isAllKept &&= isKept;
      return isKept ? "kept" : "lost";
    };
    return ["any names", choose];
  };
  const sampled = Array.from({ length: samples }, () => [inOrder(), any()]).flat();
  return [...EXTREMES, ...sampled];
}

/** Every disk that is left after any number of steps, each once; `tried` counts those that were the same too. */
export function losePower(
  { disk, steps }: { readonly disk: Disk; readonly steps: readonly Step[] },
  random: () => number,
  samples: number,
): { readonly tried: number; readonly remains: readonly Remains[] } {
  const remains = new Map<string, Remains>();
  let tried = 0;
  for (let count = 0; count <= steps.length; count++) {
    for (const [way, choose] of waysToLose(random, count, samples)) {
      tried++;
      const left = diskAfter(disk, steps, count, choose);
      remains.set(textOf(left), { title: `after ${count} steps: ${way}`, disk: left });
    }
  }
  return { tried, remains: [...remains.values()] };
}

/** Always the same numbers from the same seed. */
export function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}
