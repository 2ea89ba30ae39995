/**
 * Has locked things opened by a process of their own: secrets go in by its standard input and come back by its standard
 * output, never by arguments, environment or files.
 */
import { spawn } from "node:child_process";
import { dirname, extname } from "node:path";
import { fileURLToPath } from "node:url";
import PQueue from "p-queue";
import { messageOf } from "../../core/errors.ts";
import { Secret } from "../../core/secret.ts";
import type { Opened, OpenReply, OpenRequest, Refusal } from "./messages.ts";

/** What became of a request. */
export type Answer =
  | {
      readonly kind: "opened";
      readonly content: Secret<Opened>;
      /** Whether OpenSSL's default provider refuses it. */
      readonly isLegacy: boolean;
    }
  | Refusal
  /** There is no answer: `how` completes the sentence "the process that opens it …". */
  | { readonly kind: "crashed"; readonly how: string };

/** Opens one thing. Never rejects but with the signal's reason. */
export type Open = (request: OpenRequest, signal: AbortSignal) => Promise<Answer>;

/** How the processes are run. */
export interface OpenerOptions {
  readonly program: string;
  /** A process that has not answered by then is ended. */
  readonly deadlineMs: number;
  /** Processes at the same time: each takes a processor and 40 MB. */
  readonly concurrency: number;
}

/** This file is TypeScript in a checkout and JavaScript in the package; so is the program. */
const EXTENSION = extname(fileURLToPath(import.meta.url));
const DEFAULTS: OpenerOptions = {
  program: fileURLToPath(new URL(`./program${EXTENSION}`, import.meta.url)),
  deadlineMs: 30_000,
  concurrency: 2,
};
/** What the largest value of etcd can hold is far less. */
const MAX_REPLY_BYTES = 8 << 20;

/** Makes an opener: first with OpenSSL's default provider, and where that is not enough with the legacy one too. */
export function createOpener(options: Partial<OpenerOptions> = {}): Open {
  const { concurrency, ...how } = { ...DEFAULTS, ...options };
  const places = new PQueue({ concurrency });
  const inPlace = (request: OpenRequest, flags: readonly string[], signal: AbortSignal) =>
    places.add(() => ask(request, flags, how, signal));
  return async (request, signal) => {
    const first = await inPlace(request, [], signal);
    if (first.kind !== "unsupported") return answerOf(first, false);
    return answerOf(await inPlace(request, ["--openssl-legacy-provider"], signal), true);
  };
}

type Crash = Extract<Answer, { readonly kind: "crashed" }>;

function answerOf(reply: OpenReply | Crash, isLegacy: boolean): Answer {
  return reply.kind === "opened" ? { kind: "opened", content: new Secret(reply), isLegacy } : reply;
}

function ask(
  request: OpenRequest,
  flags: readonly string[],
  { program, deadlineMs }: Omit<OpenerOptions, "concurrency">,
  signal: AbortSignal,
): Promise<OpenReply | Crash> {
  signal.throwIfAborted();
  // The option `timeout` of spawn would hold this process up where the other one cannot even be started.
  const deadline = AbortSignal.timeout(deadlineMs);
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [...loaders(), ...flags, program], {
      // NODE_OPTIONS, OPENSSL_CONF and their like are for keyturn, and not for what reads foreign keys.
      env: {},
      cwd: dirname(program),
      stdio: ["pipe", "pipe", "ignore"],
      killSignal: "SIGKILL",
      signal: AbortSignal.any([signal, deadline]),
    });
    const chunks: Buffer[] = [];
    let bytes = 0;
    child.stdout.on("data", (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes <= MAX_REPLY_BYTES) chunks.push(chunk);
      else child.kill("SIGKILL");
    });
    // A process that ends before it has read everything: how it ended says more.
    child.stdin.on("error", () => undefined);
    child.on("error", (thrown) => {
      if (signal.aborted) reject(signal.reason);
      else if (deadline.aborted) resolve(crash(`gave no answer in ${deadlineMs} ms`));
      else resolve(crash(`cannot be started: ${messageOf(thrown)}`));
    });
    child.on("close", (code, killedBy) => {
      if (code === 0) resolve(readReply(Buffer.concat(chunks)));
      else if (bytes > MAX_REPLY_BYTES) resolve(crash("gave more of an answer than there can be"));
      else resolve(crash(killedBy === null ? `ended with ${code}` : `was ended by ${killedBy}`));
    });
    child.stdin.end(JSON.stringify(request));
  });
}

function crash(how: string): Crash {
  return { kind: "crashed", how };
}

function readReply(bytes: Buffer): OpenReply | Crash {
  try {
    return JSON.parse(bytes.toString("utf8")) as OpenReply;
  } catch {
    return crash("gave an answer that is none");
  }
}

/** What this process reads TypeScript with, in a checkout: the program needs it too. Nothing else is handed on. */
function loaders(): string[] {
  if (EXTENSION !== ".ts") return [];
  const { execArgv } = process;
  return execArgv.filter((arg, at) => arg.startsWith("--import") || execArgv[at - 1] === "--import");
}
