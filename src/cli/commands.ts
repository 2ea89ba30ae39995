/** The commands: what there is to type, and which function does it. Help, manual and completion are made of this. */
import { Command, Option } from "commander";
import { OVERRIDES, type Override } from "../config/overrides.ts";
import { KeyturnError } from "../core/errors.ts";
import { version } from "../version.ts";
import { retry, rollBack } from "./change-bundle.ts";
import { checkConfig } from "./check-config.ts";
import type { ConfigOptions } from "./config-file.ts";
import { helpOfCommand, helpOfProgram } from "./help.ts";
import { showHistory } from "./history.ts";
import { COMMANDS, GROUPS, SUMMARY } from "./manual.ts";
import { print } from "./print.ts";
import { addProxyCommand } from "./proxy-command.ts";
import { placeholderOf } from "./shape.ts";
import { showStatus } from "./status.ts";

type Finish = (code: number) => void;

const SETTINGS = "Settings (over the file):";
const DEFAULT_WATCH_SECONDS = 2;
const SHELLS = ["bash", "zsh", "fish"];

/**
 * Makes the program.
 *
 * @param finish Is given the exit code of the command that ran.
 */
export function createProgram(finish: Finish): Command {
  const program = new Command("keyturn")
    .description(SUMMARY)
    .version(version, "-V, --version", "print the version")
    .helpOption("-h, --help", "say what there is")
    .commandsGroup(`${GROUPS.at(-1)}:`)
    .helpCommand("help [command]", "say what there is of a command")
    .exitOverride()
    .showSuggestionAfterError()
    .configureHelp({ subcommandTerm: termOf })
    .configureOutput({
      outputError: (text, write) =>
        write(text.replace(/^error: /, "keyturn: USAGE: ").replace(/\n\(/, "\n  (")),
    });

  addRunCommands(program, finish);
  addAskCommands(program, finish);
  addContentCommands(program, finish);
  addChangeCommands(program, finish);
  addProxyCommand(program, finish);
  addDemoCommand(program, finish);
  addSupportCommands(program, finish);

  for (const command of program.commands) {
    const name = command.name();
    const { group, settings = [""] } = COMMANDS[name] ?? {};
    if (group !== undefined) command.helpGroup(`${group}:`);
    if (settings.length > 0) addSettings(command, settings);
    command
      .addHelpText("after", helpOfCommand(name))
      .showHelpAfterError(`  keyturn ${name} --help says what there is`);
  }
  return program
    .addHelpText("after", helpOfProgram())
    .showHelpAfterError("  keyturn --help says what there is");
}

function addRunCommands(program: Command, finish: Finish): void {
  program
    .command("run")
    .description("watch etcd and keep the bundles of this node live")
    .option("--dev", "try it: an etcd of its own, a temporary folder, no configuration")
    .action(async (values) => {
      // Loaded only here: the other commands only ask the daemon, and need nothing of it.
      const { run } = await import("./run.ts");
      finish(await run({ ...configOptionsOf(values), dev: values.dev === true }));
    });

  program
    .command("check-config")
    .description("check the configuration and print what is in force")
    .option("--json", "print JSON")
    .option("--schema", "print the JSON Schema of the configuration instead")
    .action(async (values) => {
      const { json, schema } = values;
      finish(await checkConfig({ ...configOptionsOf(values), json: json === true, schema: schema === true }));
    });
}

function addAskCommands(program: Command, finish: Finish): void {
  program
    .command("status")
    .description("show what the daemon of this node knows; exit 1 where it is not ready")
    .argument("[names...]", "these bundles alone, in detail")
    .option("--watch [seconds]", "again and again, every 2 seconds or so many, until Ctrl-C")
    .option("--json", "print JSON")
    .action(async (names: string[], values) => {
      const watchMs = values.watch === undefined ? undefined : 1_000 * secondsOf(values.watch);
      finish(await showStatus(names, { ...configOptionsOf(values), json: values.json === true, watchMs }));
    });

  program
    .command("history")
    .description("list what is on disk of a bundle, and what became of it")
    .argument("<name>", "the bundle")
    .option("--json", "print JSON")
    .action(async (name: string, values) => finish(await showHistory(name, jsonOptionsOf(values))));
}

function addChangeCommands(program: Command, finish: Finish): void {
  program
    .command("rollback")
    .description("make an earlier generation of a bundle current again; holds until other content is put")
    .argument("<name>", "the bundle")
    .option("--to <generation>", "which one; the newest that was live before where it is not given")
    .option("--json", "print JSON")
    .action(async (name: string, values) =>
      finish(await rollBack(name, { ...jsonOptionsOf(values), to: values.to })),
    );

  program
    .command("retry")
    .description("try again what etcd holds of a bundle, though it was rolled back")
    .argument("<name>", "the bundle")
    .option("--json", "print JSON")
    .action(async (name: string, values) => finish(await retry(name, jsonOptionsOf(values))));
}

function addContentCommands(program: Command, finish: Finish): void {
  // Loaded only where they are used: they read certificates, and make handshakes.
  program
    .command("inspect")
    .description("show a bundle, of files or of etcd, and every check it has to pass; exit 1 where one fails")
    .argument("[files...]", "files that are one bundle together: PEM, or one PKCS#12 file")
    .option("--name <name>", "the bundle as etcd holds it, in place of files")
    .option("--as <name>", "check by the rules for this name")
    .option("--passphrase-file <file>", "opens what is encrypted, in place of checks.rules[].passphraseFile")
    .option("--json", "print JSON")
    .action(async (files: string[], values) => {
      const { inspect } = await import("./inspect.ts");
      const { name, as, passphraseFile } = values;
      finish(await inspect(files, { ...jsonOptionsOf(values), name, as, passphraseFile }));
    });

  program
    .command("put")
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

function addDemoCommand(program: Command, finish: Finish): void {
  program
    .command("demo")
    .description("rotate certificates of three real services under load, with an etcd and a CA of its own")
    .option(
      "--rotations <n>",
      "end after this many, with a summary; exit 1 if a request was dropped",
      (text) => wholeNumber("--rotations", text),
    )
    .option("--every <seconds>", "seconds between rotations", (text) => seconds("--every", text), 2)
    .action(async (values: { rotations?: number; every: number }) => {
      // Loaded only here: it brings its own load and its own services.
      const { runDemo } = await import("../demo/demo.ts");
      finish(await runDemo({ rotations: values.rotations, everyMs: values.every * 1_000 }));
    });
}

function addSupportCommands(program: Command, finish: Finish): void {
  program
    .command("support-bundle")
    .description("gather what somebody who helps needs to know, without secrets, in one file")
    .argument("[file]", "where to write it; - for standard output")
    .option("--force", "write over a file that is there")
    .action(async (file: string | undefined, values) => {
      const { writeSupportBundle } = await import("./support-bundle.ts");
      finish(await writeSupportBundle(file, { ...configOptionsOf(values), force: values.force === true }));
    });

  program
    .command("completion")
    .description("print what completes the command line in bash, zsh or fish")
    .addArgument(program.createArgument("<shell>", "which shell").choices(SHELLS))
    .action(async (shell: string) => {
      const { completionOf } = await import("./completion.ts");
      print(
        completionOf(
          shell,
          createProgram(() => undefined),
        ),
      );
    });

  // For the completion itself.
  program.command("bundle-names", { hidden: true }).action(async (values) => {
    const { printBundleNames } = await import("./bundle-names.ts");
    finish(await printBundleNames(configOptionsOf(values)));
  });
  program
    .command("generation-names", { hidden: true })
    .argument("[name]")
    .action(async (name: string | undefined, values) => {
      const { printGenerationNames } = await import("./generation-names.ts");
      finish(await printGenerationNames(name, configOptionsOf(values)));
    });
}

/** `--no-ca` makes false of what `--ca` says; where neither is given there is nothing, or true. */
function fileOf(value: unknown): string | undefined {
  return typeof value === "string" ? value : undefined;
}

/** Adds `--config` and a flag for each setting; its help names those that begin so. */
function addSettings(command: Command, named: readonly string[]): void {
  command.addOption(new Option("--config <file>", "configuration file").helpGroup(SETTINGS));
  for (const override of OVERRIDES) {
    const { flag, choices, path, help } = override;
    const option = new Option(`${flag} <${valueNameOf(override)}>`, help).helpGroup(SETTINGS);
    // Only named here: the configuration itself checks it, and says where it is wrong.
    if (choices.length > 0) option.argChoices = [...choices];
    if (!named.some((prefix) => path.join(".").startsWith(prefix))) option.hideHelp();
    command.addOption(option);
  }
}

/** `put <name> [file]`. */
function termOf(command: Command): string {
  return [command.name(), ...command.registeredArguments.map(placeholderOf)].join(" ");
}

function valueNameOf({ isList, isNumber, names }: Override): string {
  if (names !== null) return names;
  if (isNumber) return "n";
  return isList ? "list" : "value";
}

function configOptionsOf(values: Record<string, unknown>): ConfigOptions {
  const textOf = (name: string) => (typeof values[name] === "string" ? values[name] : undefined);
  const flags = OVERRIDES.map(({ flag }) => [flag, textOf(new Option(flag).attributeName())] as const);
  return {
    config: textOf("config"),
    flags: Object.fromEntries(flags.filter(([, value]) => value !== undefined)),
  };
}

function jsonOptionsOf(values: Record<string, unknown>): ConfigOptions & { readonly json: boolean } {
  return { ...configOptionsOf(values), json: values.json === true };
}

function secondsOf(watch: unknown): number {
  if (watch === true) return DEFAULT_WATCH_SECONDS;
  const text = String(watch);
  if (Number(text) > 0) return seconds("--watch", text);
  const hint = "seconds may follow it, and names of bundles stand before it";
  throw new KeyturnError("USAGE", `--watch: ${JSON.stringify(text)} is not a number of seconds: ${hint}`);
}

function wholeNumber(flag: string, text: string): number {
  if (/^[1-9]\d{0,8}$/.test(text)) return Number(text);
  throw new KeyturnError("USAGE", `${flag}: ${JSON.stringify(text)} is not a whole number of 1 or more`);
}

function seconds(flag: string, text: string): number {
  const number = Number(text);
  if (number > 0 && number <= 86_400) return number;
  throw new KeyturnError("USAGE", `${flag}: ${JSON.stringify(text)} is not a number of seconds up to 86400`);
}
