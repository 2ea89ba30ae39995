/** A configuration that has every kind of secret, and what must not be found anywhere else. */
import { randomBytes } from "node:crypto";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { DaemonSettings } from "./daemon.ts";
import { mint } from "./mint.ts";

/** The settings, and the secrets by what they are. */
export interface Secretful {
  readonly settings: DaemonSettings;
  /** Each text, or part of one, that only its file may hold. */
  readonly secrets: ReadonlyMap<string, string>;
  /** For whoever asks: the daemon of the test has an etcd without users. */
  readonly flags: readonly string[];
}

/** Writes its files into the folder. */
export async function writeSecretful(folder: string): Promise<Secretful> {
  const home = join(folder, "secrets");
  await mkdir(home);
  const secrets = new Map<string, string>();
  const add = (what: string, text: string) => {
    secrets.set(what, text);
    return text;
  };
  const write = async (name: string, text: string) => {
    const file = join(home, name);
    await writeFile(file, text, { mode: 0o600 });
    return file;
  };
  const random = (what: string) => add(what, randomBytes(18).toString("base64url"));
  const hook = (what: string) => `whsec_${add(what, randomBytes(24).toString("base64"))}`;
  const key = mint().keyPem;
  for (const [at, line] of key.split("\n").entries()) {
    if (line !== "" && !line.startsWith("-----")) add(`line ${at + 1} of etcd's client key`, line);
  }
  const tokenFile = await write("token", `${random("admin token")}\n`);
  const secretFile = await write("hook", `${hook("hook secret")}\n`);
  const settings = {
    admin: { listen: "127.0.0.1:0", tokenFile },
    checks: {
      rules: [{ bundles: ["*"], passphraseFile: await write("passphrase", `${random("passphrase")}\n`) }],
    },
    services: [
      {
        name: "hooked",
        bundles: ["inference"],
        notify: {
          http: { url: `http://127.0.0.1:1/?token=${random("query of a hook")}`, attempts: 1, secretFile },
        },
        verify: { http: { url: `http://127.0.0.1:1/?key=${random("query of a probe")}`, within: "1s" } },
      },
      {
        name: "program",
        bundles: ["other"],
        notify: {
          exec: {
            argv: [
              ...[
                "false",
                "--password",
                random("argument after --password"),
                `--token=${random("--token=")}`,
              ],
              ...["-H", `Authorization: Bearer ${random("Authorization header")}`],
            ],
          },
        },
      },
      {
        name: "talker",
        bundles: ["other"],
        notify: {
          exec: {
            argv: [
              ...["sh", "-c", 'printf "told: %s\\n" "$@"; exit 1', "sh"],
              ...["-u", `user:${random("password after -u")}`, `-p${random("-p")}`],
              ...[
                "-H",
                `X-Api-Key: ${random("header")}`,
                `http://127.0.0.1:1/hooks/${random("path of a hook")}`,
              ],
            ],
          },
        },
      },
    ],
    renewal: {
      http: {
        url: `http://127.0.0.1:1/services/T000/${random("path of the renewal")}`,
        secretFile: await write("renewal", `${hook("renewal secret")}\n`),
      },
    },
  };
  const flags = [
    ...[
      "--etcd-username",
      "keyturn",
      "--etcd-password-file",
      await write("password", random("etcd password")),
    ],
    ...[
      "--etcd-tls-key-file",
      await write("tls.key", key),
      "--etcd-tls-cert-file",
      await write("tls.crt", "none"),
    ],
  ];
  return { settings, secrets, flags };
}
