/** Tells a service by a signal to the process that its pid file names: `services[].notify.signal`. */
import { closeSync, constants, fstatSync, openSync, readSync } from "node:fs";
import { systemCodeOf } from "../core/errors.ts";
import type { Notice, ServiceAnswer } from "../core/service.ts";
import { type Attempt, type AttemptOptions, tellOnce } from "./attempt.ts";
import { isNamed, isRunning, namesOf, ownerOf } from "./process-table.ts";
import { runsAs } from "./runs-as.ts";

/** Whom to signal. */
export interface SignalOptions extends AttemptOptions {
  /** Read at each notice. The number is on its first line. */
  readonly pidFile: string;
  readonly signal: NodeJS.Signals;
  /** The process has to go by this name: guards against a pid file that was left behind. */
  readonly processName?: string | undefined;
}

/** A number and a line end are far shorter; PostgreSQL's pid file has more lines, and the number is on the first. */
const MAX_PID_FILE_BYTES = 4 << 10;
/** `PID_MAX_LIMIT` of the kernel. */
const MAX_PID = 2 ** 22;

const EXPECTED = "notify.signal.pidFile has to be the file in which the service keeps its process number";

/** What a pid file says: a process, nothing yet, or something that is wrong. */
type PidFile =
  | { readonly kind: "pid"; readonly pid: number }
  | { readonly kind: "none" | "wrong"; readonly why: string };

/**
 * Sends the signal once. A pid file that is absent or empty, or whose process has ended, says that the service is not
 * running: `unreachable`. Sent is `done`: only a look at what it serves shows what became of it.
 */
export async function notifySignal(
  options: SignalOptions,
  notice: Notice,
  signal: AbortSignal,
): Promise<ServiceAnswer> {
  signal.throwIfAborted();
  return tellOnce(options, notice.generation.name, () => attempt(options));
}

/** From the first look to the signal nothing is waited for: the process has no time to end and give its number away. */
function attempt({ service, pidFile, signal, processName }: SignalOptions): Attempt {
  const say = (result: Attempt["result"], what: string) => ({ result, message: `${service}: ${what}` });
  const read = readPidFile(pidFile);
  if (read.kind !== "pid") {
    return read.kind === "none"
      ? say("unreachable", `${pidFile} ${read.why}: it is not running`)
      : say("refused", `${pidFile} ${read.why}`);
  }
  const { pid } = read;
  if (!isRunning(pid)) {
    return say("unreachable", `process ${pid}, which ${pidFile} names, has ended: it is not running`);
  }
  if (processName !== undefined) {
    const names = namesOf(pid);
    if (!isNamed(names, processName)) {
      const found = names.length === 0 ? "shows no name" : `is ${names.join(", also ")}`;
      const what = `process ${pid}, which ${pidFile} names, ${found}, and not ${processName}`;
      return say("refused", `${what}: the file was left behind, or notify.signal.processName is wrong`);
    }
  }
  try {
    process.kill(pid, signal);
  } catch (thrown) {
    const code = systemCodeOf(thrown);
    if (code === "ESRCH") return say("unreachable", `process ${pid} of ${pidFile} has just ended`);
    return say("refused", `process ${pid} of ${pidFile} may not be sent ${signal} (${code}): ${cure(pid)}`);
  }
  return say("delivered", `${signal} was sent to process ${pid}`);
}

function cure(pid: number): string {
  const owner = ownerOf(pid);
  const user = owner === undefined ? "the user it runs as" : `its user (uid ${owner})`;
  return `keyturn runs as ${runsAs()}; run it as ${user} or as root, or give it CAP_KILL`;
}

function readPidFile(path: string): PidFile {
  let text: string;
  try {
    text = readBeginning(path);
  } catch (thrown) {
    const code = systemCodeOf(thrown);
    if (code === "ENOENT") return { kind: "none", why: "is not there" };
    if (code === undefined) return { kind: "wrong", why: `is not a file: ${EXPECTED}` };
    return { kind: "wrong", why: `cannot be read by ${runsAs()} (${code})` };
  }
  const line = (text.split("\n")[0] ?? "").trim();
  if (text.trim() === "") return { kind: "none", why: "is empty" };
  const pid = /^\d{1,10}$/.test(line) ? Number(line) : 0;
  if (pid < 2 || pid > MAX_PID) return { kind: "wrong", why: `holds no process number: ${EXPECTED}` };
  return pid === process.pid ? { kind: "wrong", why: "names keyturn itself" } : { kind: "pid", pid };
}

/** @throws an error without a code where it is no plain file. */
function readBeginning(path: string): string {
  // A FIFO would otherwise wait for a writer.
  const file = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    if (!fstatSync(file).isFile()) throw new Error("not a plain file");
    const bytes = Buffer.alloc(MAX_PID_FILE_BYTES);
    return bytes.toString("latin1", 0, readSync(file, bytes));
  } finally {
    closeSync(file);
  }
}
