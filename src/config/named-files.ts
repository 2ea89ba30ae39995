/** The files that a configuration names, as they are on this machine: what is missing, unreadable or open to others. */
import { constants } from "node:fs";
import { access, stat } from "node:fs/promises";
import { systemCodeOf } from "../core/errors.ts";
import type { Config } from "./schema.ts";
import { type Warning, warningsOf } from "./warnings.ts";

/** A setting that names a file, and whether what is in it is secret. */
export interface NamedFile {
  readonly setting: string;
  readonly file: string;
  readonly isSecret: boolean;
}

/** Every file the configuration names for the daemon to read. */
export function namedFiles({ etcd, admin, checks, services, renewal }: Config): NamedFile[] {
  const named = (setting: string, file: string | undefined, isSecret: boolean): NamedFile[] =>
    file === undefined ? [] : [{ setting, file, isSecret }];
  return [
    ...named("etcd.tls.caFile", etcd.tls?.caFile, false),
    ...named("etcd.tls.certFile", etcd.tls?.certFile, false),
    ...named("etcd.tls.keyFile", etcd.tls?.keyFile, true),
    ...named("etcd.passwordFile", etcd.passwordFile, true),
    ...named("admin.tokenFile", admin.tokenFile, true),
    ...named("renewal.http.secretFile", renewal?.http.secretFile, true),
    ...services.flatMap(({ notify }, at) =>
      named(`services.${at}.notify.http.secretFile`, notify.http?.secretFile, true),
    ),
    ...checks.rules.flatMap(({ passphraseFile }, at) =>
      named(`checks.rules.${at}.passphraseFile`, passphraseFile, true),
    ),
  ];
}

/** Everything that is likely a mistake, in the configuration and in these files, as they are for this process. */
export async function warningsHere(config: Config): Promise<Warning[]> {
  const found = await Promise.all(namedFiles(config).map(warningOn));
  return [...warningsOf(config), ...found.flatMap((warning) => warning ?? [])];
}

async function warningOn({ setting, file, isSecret }: NamedFile): Promise<Warning | undefined> {
  try {
    await access(file, constants.R_OK);
    const { mode } = await stat(file);
    if (!isSecret || (mode & 0o007) === 0) return undefined;
    return { setting, message: `${file} is open to everybody on this machine: chmod o= ${file}` };
  } catch (thrown) {
    const code = systemCodeOf(thrown);
    const what =
      code === "ENOENT" ? "is not there" : `cannot be read by user ${process.getuid?.()} (${code})`;
    return { setting, message: `${file} ${what}` };
  }
}
