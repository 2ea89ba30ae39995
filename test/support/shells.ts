/** Programs of `--shells` (scripts/ready.mjs): installed, or unpacked with files that they look for elsewhere. */
import { existsSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";

/** How to call it: the name or path, and what its environment has to have. */
export function shellProgram(name: "zsh" | "fish" | "groff"): {
  readonly program: string;
  readonly env: NodeJS.ProcessEnv;
  /** The folder that stands for `/`, where it was unpacked. */
  readonly root: string;
} {
  const bin = process.env.KEYTURN_SHELLS_BIN;
  if (bin === undefined) return { program: name, env: process.env, root: "/" };
  const root = dirname(bin);
  const groff = join(root, "usr/share/groff");
  // Parts of groff that it starts itself, its fonts and its macros.
  const env = existsSync(groff)
    ? {
        ...process.env,
        PATH: [join(root, "usr/bin"), process.env.PATH].join(delimiter),
        GROFF_BIN_PATH: join(root, "usr/bin"),
        GROFF_FONT_PATH: join(groff, "current/font"),
        GROFF_TMAC_PATH: join(groff, "current/tmac"),
      }
    : process.env;
  return { program: join(bin, name), env, root };
}
