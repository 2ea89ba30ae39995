/** What OpenSSL does with its legacy provider, in a process that has it. */
import { spawnSync } from "node:child_process";

/** Whether OpenSSL itself opens a file, and finds a certificate and the key for it. */
export function opensslOpens(file: Buffer, passphrase: string): boolean {
  const said = runLegacy(
    `try {
       require("node:tls").createSecureContext({ pfx: Buffer.from(input[0], "base64"), passphrase: input[1] });
       process.stdout.write("opened");
     } catch (thrown) { process.stdout.write(thrown.message); }`,
    [file.toString("base64"), passphrase],
  );
  return said.toString() === "opened";
}

/** Runs a script with all of `node:crypto` and `input` in a process with OpenSSL's legacy provider; gives what it writes. */
export function runLegacy(script: string, input: readonly string[]): Buffer {
  const begin = "const { createCipheriv, createPrivateKey } = require('node:crypto');";
  const read = "const input = JSON.parse(require('node:fs').readFileSync(0, 'utf8'));";
  const args = ["--openssl-legacy-provider", "-e", `${begin}\n${read}\n${script}`];
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { input: JSON.stringify(input) });
  if (status !== 0) throw new Error(stderr.toString());
  return stdout;
}
