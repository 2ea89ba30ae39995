/** `keyturn completion`: a script for a shell, made from the program itself. */
import type { Command } from "commander";
import { bashCompletion } from "./completion-bash.ts";
import { fishCompletion } from "./completion-fish.ts";
import { zshCompletion } from "./completion-zsh.ts";
import { optionsOf, shapeOf } from "./shape.ts";

const SCRIPTS = { bash: bashCompletion, zsh: zshCompletion, fish: fishCompletion } as const;

/** The script, without a line break at its end. */
export function completionOf(shell: string, program: Command): string {
  const script = SCRIPTS[shell as keyof typeof SCRIPTS];
  return script(shapeOf(program), optionsOf(program)).trimEnd();
}
