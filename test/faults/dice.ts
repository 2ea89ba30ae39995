/** Chance from a seed: the same seed draws the same faults in the same order, for the same lengths of time. */

/** Draws numbers. */
export interface Dice {
  /** A whole number from 0 to `count - 1`. */
  below(count: number): number;
  /** A whole number from `least` to `most`. */
  between(least: number, most: number): number;
  /** True in this share of the draws. */
  chance(share: number): boolean;
  pick<T>(items: readonly [T, ...T[]]): T;
}

/** Dice of their own for each name, so that what one draws does not change what another gets. */
export function diceOf(seed: number, name: string): Dice {
  let state = seed >>> 0;
  for (const character of name) state = Math.imul(state ^ character.charCodeAt(0), 0x9e3779b1) >>> 0;
  /** Mulberry32: 32 bits of state are plenty to choose faults by. */
  const draw = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  const below = (count: number) => Math.floor(draw() * count);
  return {
    below,
    between: (least, most) => least + below(most - least + 1),
    chance: (share) => draw() < share,
    pick: (items) => items[below(items.length)] ?? items[0],
  };
}
