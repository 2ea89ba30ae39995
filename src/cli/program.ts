/** The command line: what there is to type, and which function does it. */
import { Command, CommanderError, Option } from "commander";
import { OVERRIDES } from "../config/overrides.ts";
import { KeyturnError, messageOf } from "../core/errors.ts";
import { version } from "../version.ts";
import { retry, rollBack } from "./change-bundle.ts";
import { checkConfig } from "./check-config.ts";
import type { ConfigOptions } from "./config-file.ts";
import { showHistory } from "./history.ts";
import { printError } from "./print.ts";
import { showStatus } from "./status.ts";

/** 0: done. 1: the answer is no, or it failed. 2: the command line or the configuration is wrong. */
export type ExitCode = number;

/** Runs one command line, without the name of the program. */
export async function main(argv: readonly string[]): Promise<ExitCode> {
  let exitCode: ExitCode = 0;
  const program = createProgram((code) => {
    exitCode = code;
  });
  try {
    await program.parseAsync(argv, { from: "user" });
    return exitCode;
  } catch (thrown) {
    if (thrown instanceof CommanderError) return thrown.exitCode === 0 ? 0 : 2;
    return explain(thrown);
  }
}

function createProgram(finish: (code: ExitCode) => void): Command {
  const program = new Command("keyturn")
    .description("Turns TLS certificates on a node as one: from etcd to what services really serve.")
    .version(version)
    .exitOverride()
    .showSuggestionAfterError();

  withSettings(program.command("run"))
    .description("watch etcd and keep the bundles of this node live")
    .option("--dev", "try it: an etcd of its own, a temporary folder, no configuration")
    .action(async (values) => {
      // Loaded only here: the other commands only ask the daemon, and need nothing of it.
      const { run } = await import("./run.ts");
      finish(await run({ ...configOptionsOf(values), dev: values.dev === true }));
    });

  withSettings(program.command("check-config"))
    .description("check the configuration and print what is in force")
    .option("--json", "print JSON")
    .action(async (values) =>
      finish(await checkConfig({ ...configOptionsOf(values), json: values.json === true })),
    );

  withSettings(program.command("status"))
    .description("show what the daemon of this node knows; exit 1 where it is not ready")
    .option("--json", "print JSON")
    .action(async (values) =>
      finish(await showStatus({ ...configOptionsOf(values), json: values.json === true })),
    );

  addBundleCommands(program, finish);
  addContentCommands(program, finish);

  program
    .command("demo")
    .description("rotate certificates of two real services under load, with an etcd and a CA of its own")
    .option(
      "--rotations <n>",
      "end after this many, with a summary; exit 1 if a request was dropped",
      wholeNumber,
    )
    .option("--every <seconds>", "seconds between rotations", positiveNumber, 2)
    .action(async (values: { rotations?: number; every: number }) => {
      // Loaded only here: it brings its own load and its own services.
      const { runDemo } = await import("../demo/demo.ts");
      finish(await runDemo({ rotations: values.rotations, everyMs: values.every * 1_000 }));
    });

  return program;
}

function addBundleCommands(program: Command, finish: (code: ExitCode) => void): void {
  const command = (name: string) => withSettings(program.command(name)).option("--json", "print JSON");
  const optionsOf = (values: Record<string, unknown>) => ({
    ...configOptionsOf(values),
    json: values.json === true,
  });

  command("history")
    .description("list what is on disk of a bundle, and what became of it")
    .argument("<name>", "the bundle")
    .action(async (name: string, values) => finish(await showHistory(name, optionsOf(values))));

  command("rollback")
    .description("make an earlier generation of a bundle current again; holds until other content is put")
    .argument("<name>", "the bundle")
    .option("--to <generation>", "which one; the newest that was live before where it is not given")
    .action(async (name: string, values) =>
      finish(await rollBack(name, { ...optionsOf(values), to: values.to })),
    );

  command("retry")
    .description("try again what etcd holds of a bundle, though it was rolled back")
    .argument("<name>", "the bundle")
    .action(async (name: string, values) => finish(await retry(name, optionsOf(values))));
}

function addContentCommands(program: Command, finish: (code: ExitCode) => void): void {
  // Loaded only where they are used: they read certificates, and make handshakes.
  withSettings(program.command("inspect"))
    .description("show a bundle, of files or of etcd, and every check it has to pass; exit 1 where one fails")
    .argument("[files...]", "files that are one bundle together: PEM, or one PKCS#12 file")
    .option("--name <name>", "the bundle as etcd holds it, in place of files")
    .option("--as <name>", "check by the rules for this name")
    .option("--passphrase-file <file>", "opens what is encrypted, in place of checks.rules[].passphraseFile")
    .option("--json", "print JSON")
    .action(async (files: string[], values) => {
      const { inspect } = await import("./inspect.ts");
      const { name, as, passphraseFile } = values;
      const options = { name, as, passphraseFile, json: values.json === true };
      finish(await inspect(files, { ...configOptionsOf(values), ...options }));
    });

  withSettings(program.command("put"))
    .description("check a bundle, and put it into etcd as one transaction; a bad one is refused")
    .argument("<name>", "the bundle")
    .argument("[file]", "all of it in one file: PEM, or PKCS#12")
    .option("--cert <file>", "the leaf, then its intermediates: tls.crt")
    .option("--key <file>", "its private key: tls.key")
    .option("--ca <file>", "what is trusted: ca.crt; alone, a trust bundle")
    .option("--crl <file>", "revocation lists: ca.crl")
    .option("--meta <file>", "labels: meta.json; what is there stays where this is not given")
    .option("--no-ca", "trust anchors that etcd holds may go")
    .option("--no-crl", "revocation lists that etcd holds may go")
    .option("--passphrase-file <file>", "opens what is encrypted, in place of checks.rules[].passphraseFile")
    .option("--force", "put it though etcd holds the same content")
    .option("--dry-run", "do everything but write")
    .option("--json", "print JSON")
    .action(async (name: string, file: string | undefined, values) => {
      const { put } = await import("./put.ts");
      const { cert, key, meta, passphraseFile, force, dryRun, json } = values;
      const options = {
        ...{ file, cert, key, meta, passphraseFile, force, dryRun, json },
        ...{ ca: fileOf(values.ca), withoutCa: values.ca === false },
        ...{ crl: fileOf(values.crl), withoutCrl: values.crl === false },
      };
      finish(await put(name, { ...configOptionsOf(values), ...options }));
    });
}

/** `--no-ca` makes false of what `--ca` says; where neither is given there is nothing, or true. */
function fileOf(value: unknown): string | undefined {
  return typeof value === "string" ? value : undefined;
}

/** Adds `--config` and a flag for each setting that can be overridden. */
function withSettings(command: Command): Command {
  command.option("--config <file>", "configuration file (or KEYTURN_CONFIG)");
  for (const { flag, variable, help } of OVERRIDES) {
    command.addOption(new Option(`${flag} <value>`, `${help} (or ${variable})`));
  }
  return command;
}

function configOptionsOf(values: Record<string, unknown>): ConfigOptions {
  const textOf = (name: string) => (typeof values[name] === "string" ? values[name] : undefined);
  const flags = OVERRIDES.map(({ flag }) => [flag, textOf(new Option(flag).attributeName())] as const);
  return {
    config: textOf("config"),
    flags: Object.fromEntries(flags.filter(([, value]) => value !== undefined)),
  };
}

function wholeNumber(text: string): number {
  if (/^[1-9]\d{0,8}$/.test(text)) return Number(text);
  throw new KeyturnError("USAGE", `${JSON.stringify(text)} is not a whole number of 1 or more`);
}

function positiveNumber(text: string): number {
  const number = Number(text);
  if (number > 0 && number <= 86_400) return number;
  throw new KeyturnError("USAGE", `${JSON.stringify(text)} is not a number of seconds`);
}

function explain(thrown: unknown): ExitCode {
  if (!(thrown instanceof KeyturnError)) {
    printError(`keyturn: ${thrown instanceof Error ? thrown.stack : messageOf(thrown)}`);
    return 1;
  }
  printError(`keyturn: ${thrown.code}: ${thrown.message.replaceAll("\n", "\n  ")}`);
  return thrown.code === "USAGE" || thrown.code === "CONFIG_INVALID" ? 2 : 1;
}
