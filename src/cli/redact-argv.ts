/** Takes out of the arguments of a program all but what plainly is no secret. Pure. */
import { hide, isPlain, type Note, redactPath } from "./plain-word.ts";
import { redactAddress, WHOLE_ADDRESS } from "./redact-address.ts";

/** What services are told in, and what tells them: who has to help has to see it. */
const KNOWN = new Set(
  [
    "apachectl caddy curl docker haproxy httpd kill killall kubectl nginx nsenter pg_ctl pkill podman postgres sudo",
    "systemctl try-reload-or-restart reload-or-restart try-restart reload restart start stop kill signal exec run",
    "graceful refresh rotate update apply load config SIGHUP HUP SIGUSR1 USR1 SIGUSR2 USR2 SIGWINCH WINCH SIGTERM TERM",
    "GET POST PUT PATCH DELETE true false yes no",
  ].flatMap((words) => words.split(" ")),
);
const LOOPBACK = /^(?:localhost|127\.0\.0\.1|\[::1\])(?::\d{1,5})?$/;
const DASHES = /^--?$/;
const LONG_OPTION = /^(--[a-z][a-z-]*)(?:=(.*))?$/s;
const SHORT_OPTION = /^(-[A-Za-z])(.*)$/s;
/** At least two segments, or a dot before it: `/x` may be a password. */
const PATH = /^(?:\/[^/]+\/|\.{1,2}\/)/;

/** Says which words are no secret, whatever stands before them. */
export type IsOpen = (word: string) => boolean;

/** @param names Of services and bundles, which are no secret. */
export function createIsOpen(names: readonly string[]): IsOpen {
  const open = new Set([...KNOWN, ...names]);
  return (word) => open.has(word.replace(/\.service$/, "")) || LOOPBACK.test(word);
}

/** The program, options, paths, addresses without secrets, and open words stay; of all else the length. */
export function redactArgv(argv: readonly string[], isOpen: IsOpen, note: Note): string[] {
  const isProgram = (word: string, at: number) => at === 0 && !/[\s=]/.test(word);
  return argv.map((word, at) => (isProgram(word, at) ? word : redactWord(word, isOpen, note)));
}

/** One argument. */
export function redactWord(word: string, isOpen: IsOpen, note: Note): string {
  if (DASHES.test(word) || isOpen(word.replace(/^-/, ""))) return word;
  const [, long, value] = LONG_OPTION.exec(word) ?? [];
  if (long !== undefined && isPlain(long)) {
    return value === undefined ? long : `${long}=${redactWord(value, isOpen, note)}`;
  }
  const [, short, attached] = SHORT_OPTION.exec(word) ?? [];
  if (short !== undefined) return attached ? short + hide(attached, note) : short;
  if (WHOLE_ADDRESS.test(word)) return redactAddress(word, note);
  return PATH.test(word) ? redactPath(word, note) : hide(word, note);
}
