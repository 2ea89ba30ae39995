/** `keyturn status --watch`: the status again and again, also while no daemon answers, until a signal ends it. */
import { KeyturnError, messageOf } from "../core/errors.ts";
import { visibleJson } from "../core/words.ts";
import type { Status } from "../observe/status.ts";
import { repeat, systemClock } from "../runtime/clock.ts";
import { flow } from "./lines.ts";
import { LiveScreen } from "./live-screen.ts";
import { print, printError } from "./print.ts";
import { type Screen, screen } from "./screen.ts";
import { plain } from "./table.ts";
import { absolute, span } from "./times.ts";
import { untilStopped } from "./until-stopped.ts";

/** What is known so far: the last answer, and since when there is none. */
interface View {
  readonly latest: { readonly status: Status; readonly at: Date } | null;
  readonly failure: { readonly error: KeyturnError; readonly since: Date } | null;
}

type Draw = (status: Status, now: Date, on: Screen) => string[];

/** The picture says how old it is: also while an answer is waited for. */
const REDRAW_EVERY_MS = 1_000;

/**
 * Watches until SIGINT or SIGTERM. On a terminal one picture is drawn in place; elsewhere one block follows another, or
 * one line of JSON.
 *
 * @param ask Rejects where there is no answer: the watch goes on.
 */
export async function watchStatus(
  ask: () => Promise<Status>,
  draw: Draw,
  everyMs: number,
  isJson: boolean,
): Promise<void> {
  const ended = new AbortController();
  const stopped = untilStopped().then(() => ended.abort());
  const isLive = process.stdout.isTTY === true && process.env.TERM !== "dumb" && !isJson;
  const { show, close } = isLive ? onTerminal(draw, everyMs) : inBlocks(draw, isJson);
  try {
    await Promise.race([lookAgainAndAgain(ask, show, everyMs, ended.signal), stopped]);
  } finally {
    close();
  }
}

interface Output {
  show(view: View): void;
  close(): void;
}

async function lookAgainAndAgain(
  ask: () => Promise<Status>,
  show: (view: View) => void,
  everyMs: number,
  signal: AbortSignal,
): Promise<void> {
  let view: View = { latest: null, failure: null };
  while (!signal.aborted) {
    view = await look(ask, view);
    if (signal.aborted) return;
    show(view);
    await systemClock.sleep(everyMs, signal).catch(() => undefined);
  }
}

async function look(ask: () => Promise<Status>, { latest, failure }: View): Promise<View> {
  try {
    const status = await ask();
    return { latest: { status, at: systemClock.now() }, failure: null };
  } catch (thrown) {
    const error =
      thrown instanceof KeyturnError
        ? thrown
        : new KeyturnError("DAEMON_UNREACHABLE", messageOf(thrown), { cause: thrown });
    return { latest, failure: { error, since: failure?.since ?? systemClock.now() } };
  }
}

function onTerminal(draw: Draw, everyMs: number): Output {
  let view: View | null = null;
  const lines = () => (view === null ? [] : picture(view, draw, everyMs, systemClock.now(), screen()));
  const live = new LiveScreen(process.stdout, lines);
  const endTicks = repeat(REDRAW_EVERY_MS, () => live.redraw());
  return {
    show: (next) => {
      view = next;
      live.redraw();
    },
    close: () => {
      endTicks();
      live.close();
    },
  };
}

/** The lines on a terminal: how old it is first. */
function picture({ latest, failure }: View, draw: Draw, everyMs: number, now: Date, on: Screen): string[] {
  const age = latest === null ? "" : span(Math.max(0, now.getTime() - latest.at.getTime()));
  const asOf = latest === null ? "" : absolute(latest.at.toISOString());
  const head =
    failure === null
      ? flow("", `as of ${asOf}, ${age} old; every ${everyMs / 1_000} s, Ctrl-C ends it`, on, "faint")
      : [
          ...flow("", `no answer for ${span(now.getTime() - failure.since.getTime())}`, on, "bad"),
          ...flow("", `${failure.error.code}: ${failure.error.message}`, on, "bad"),
          ...(latest === null ? [] : flow("", `what was so ${age} ago, at ${asOf}:`, on, "bad")),
        ];
  return [...head, "", ...(latest === null ? [] : draw(latest.status, now, on))];
}

/** Nothing is cut or drawn over: for a file, a pipe, or a terminal that can do no more. */
function inBlocks(draw: Draw, isJson: boolean): Output {
  const show = ({ latest, failure }: View) => {
    if (failure !== null) {
      const { code, message } = failure.error;
      if (isJson) print(visibleJson(JSON.stringify({ error: { code, message } })));
      printError(`keyturn: ${code}: ${plain(message)}`);
    } else if (latest !== null) {
      if (isJson) print(visibleJson(JSON.stringify(latest.status)));
      else {
        const { status, at } = latest;
        print([`as of ${absolute(at.toISOString())}`, ...draw(status, at, screen()), ""].join("\n"));
      }
    }
  };
  return { show, close: () => undefined };
}
