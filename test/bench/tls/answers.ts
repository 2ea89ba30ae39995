/** The other side of a worker: answers its parent, and ends with it. */
import type { Answer } from "./worker.ts";

interface Question {
  readonly name: string;
  readonly words: readonly unknown[];
}

/** Answers every question of the parent by the function of that name. */
export function answer(api: Readonly<Record<string, (...words: never[]) => unknown>>): void {
  process.on("message", async ({ name, words }: Question) => {
    process.send?.(await answerOf(async () => api[name]?.(...(words as never[]))));
  });
  process.on("disconnect", () => process.exit(0));
}

async function answerOf(ask: () => Promise<unknown>): Promise<Answer> {
  try {
    return { value: await ask() };
  } catch (thrown) {
    return { failure: String(thrown) };
  }
}
