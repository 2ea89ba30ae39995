/**
 * `npm run conformance -- FILE`: how keyturn judges the certificates of a suite, beside what the suite expects.
 *
 * FILE is in the x509-limbo format (`limbo.json`); it is not part of this repository. Each test case becomes a bundle in
 * parts, as it could be put into etcd, and goes through what the daemon puts a bundle through: its values are read, then
 * all checks are made, and the handshake in the real child process. `expected_peer_name(s)` become `requireNames`;
 * `extended_key_usage` and the validation kind become `requireEku`.
 *
 * - **Agreement, false accepts, false rejects** are of the cases that can be compared. What a suite calls optional is
 *   compared too, and marked.
 * - **Not applicable** are cases that ask for what keyturn has no setting for; those that bring no private key, because a
 *   handshake needs it; those without a trusted certificate; and those that need another clock than the machine's:
 *   OpenSSL in Node takes no other, so a case counts only where nothing of it began or ended between its time and now.
 *   (Run the whole under a program that sets the clock, to compare them.)
 * - **Contained** are cases over which the handshake child ended or hung: the bundle was refused, and keyturn lives.
 * - **Broken, hung, crashed** are faults of keyturn. Every case has a deadline, and its process is ended after it.
 *
 * Exit: 0 when it was run, whatever was found; 1 where something is broken, hung or crashed, and with `--strict` also
 * where there is a false accept or a false reject; 2 where the file or the command line cannot be read.
 */
import { print, printError } from "../../src/cli/print.ts";
import { messageOf } from "../../src/core/errors.ts";
import { createExaminer } from "./examiner.ts";
import { type Options, optionsOf, USAGE } from "./options.ts";
import { readCases } from "./read-cases.ts";
import { textOf } from "./report.ts";
import { runCases } from "./run.ts";
import type { Result } from "./tally.ts";

const SAY_EVERY = 1_000;

function readOptions(): Options | undefined {
  try {
    return optionsOf(process.argv.slice(2));
  } catch (thrown) {
    say(`${messageOf(thrown)}\nusage: ${USAGE}`);
    return undefined;
  }
}

function exitCodeOf(result: Result, strict: boolean): number {
  const { broken, hung, crashed, falseAccepts, falseRejects } = result;
  if (broken.length + hung.length + crashed.length > 0) return 1;
  return strict && falseAccepts.length + falseRejects.length > 0 ? 1 : 0;
}

function say(text: string): void {
  printError(`conformance: ${text}`);
}

async function main(): Promise<number> {
  const options = readOptions();
  if (options === undefined) return 2;
  const examiner = createExaminer(options);
  // Its process is the head of a group of its own, which Ctrl-C does not reach.
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    process.once(signal, () => {
      examiner.close();
      process.exit(130);
    });
  }
  try {
    const tally = await runCases({
      cases: readCases(options.file),
      examine: examiner.examine,
      only: options.only,
      onCase: (count) => {
        if (count % SAY_EVERY === 0) say(`${count} cases`);
      },
    });
    const result = tally.result();
    const about = { file: options.file, node: process.versions.node, openssl: process.versions.openssl };
    if (options.json) print(JSON.stringify({ ...about, ...result }, null, 2));
    else print(`Node ${about.node}, OpenSSL ${about.openssl}\n${textOf(result)}`);
    return exitCodeOf(result, options.strict);
  } catch (thrown) {
    say(messageOf(thrown));
    return 2;
  } finally {
    examiner.close();
  }
}

process.exit(await main());
