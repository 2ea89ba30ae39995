/** Tells a service by running a program: `services[].notify.exec`. */
import type { Notice, ServiceAnswer } from "../core/service.ts";
import { type Attempt, type AttemptOptions, tellOnce } from "./attempt.ts";
import { type ProgramEnd, runProgram } from "./program.ts";
import { runsAs } from "./runs-as.ts";

/** What to run. */
export interface ExecOptions extends AttemptOptions {
  /** A program, by an absolute path or by a name on the daemon's PATH, and its arguments. */
  readonly argv: readonly string[];
  readonly timeoutMs: number;
}

const DEFAULT_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
/** Exit codes of sysexits.h by which a program says more than that it failed. */
const EX_UNAVAILABLE = 69;
const EX_TEMPFAIL = 75;
/** The machine is short of something, which passes. */
const SHORTAGES = ["EAGAIN", "ENOMEM", "EMFILE", "ENFILE", "ETXTBSY"];

/**
 * Runs the program once, with {@link noticeEnvironment} and nothing else of the daemon's environment. Exit 0 is `done`;
 * 69 (EX_UNAVAILABLE) says that the service is not running, and 75 (EX_TEMPFAIL) that it cannot now; any other code, or
 * a signal, is `failed`. Running out of time is `busy`.
 *
 * The signal is looked at before it begins; a program that runs is not ended by it: the service may be at work.
 */
export async function notifyExec(
  options: ExecOptions,
  notice: Notice,
  signal: AbortSignal,
): Promise<ServiceAnswer> {
  signal.throwIfAborted();
  return tellOnce(options, notice.generation.name, async () => {
    const env = { ...baseEnvironment(), ...noticeEnvironment(options.service, notice) };
    return judge(await runProgram({ ...options, env }), options, env.PATH);
  });
}

function baseEnvironment() {
  const { PATH, HOME, LANG } = process.env;
  return { PATH: PATH || DEFAULT_PATH, HOME: HOME || "/", LANG: LANG || "C.UTF-8" };
}

/** What a program is told: names and paths, nothing secret. A path is missing where the bundle has no such file. */
function noticeEnvironment(
  service: string,
  { generation, paths, reason }: Notice,
): Readonly<Record<string, string>> {
  const values = {
    KEYTURN_SERVICE: service,
    KEYTURN_BUNDLE: generation.name,
    KEYTURN_REASON: reason,
    KEYTURN_DIGEST: generation.digest,
    KEYTURN_REVISION: String(generation.revision),
    KEYTURN_GENERATION: generation.id,
    KEYTURN_FINGERPRINT256: generation.leaf?.fingerprint256,
    KEYTURN_DIR: paths.dir,
    KEYTURN_CERT: paths.cert,
    KEYTURN_KEY: paths.key,
    KEYTURN_COMBINED: paths.combined,
    KEYTURN_CA: paths.ca,
    KEYTURN_CRL: paths.crl,
  };
  return Object.fromEntries(
    Object.entries(values).flatMap(([name, value]) => (value ? [[name, value] as const] : [])),
  );
}

function judge(end: ProgramEnd, { service, argv, timeoutMs }: ExecOptions, path: string): Attempt {
  // The arguments may hold a token.
  const program = argv[0] ?? "";
  const say = (result: Attempt["result"], what: string, output = ""): Attempt => ({
    result,
    message: `${service}: ${program} ${what}${output === "" ? "" : `: ${output}`}`,
  });
  switch (end.kind) {
    case "notStarted":
      return SHORTAGES.includes(end.code)
        ? say("busy", `could not be started (${end.code})`)
        : say("refused", whyNotStarted(program, end.code, path));
    case "overdue":
      return say("timeout", `did not end within ${timeoutMs} ms, and was ended`, end.output);
    case "killed":
      return say("refused", `was ended by ${end.by}`, end.output);
    case "exited":
      if (end.code === 0) return say("delivered", "ended well");
      if (end.code === EX_UNAVAILABLE) return say("unreachable", "says it is not running (69)", end.output);
      if (end.code === EX_TEMPFAIL) return say("busy", "says it cannot now (75)", end.output);
      return say("refused", `ended with ${end.code}`, end.output);
  }
}

function whyNotStarted(program: string, code: string, path: string): string {
  if (code === "EACCES") {
    return `cannot be started (EACCES): make it executable for ${runsAs()}, as whom keyturn runs`;
  }
  if (code !== "ENOENT") return `cannot be started (${code})`;
  return program.includes("/")
    ? "cannot be started (ENOENT): install it, or the interpreter that its first line names"
    : `is not on the PATH (${path}): install it, or give its absolute path in notify.exec.argv`;
}
