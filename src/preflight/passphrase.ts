/**
 * Reads the passphrase of encrypted private keys and PKCS#12 files from its file, each time it is needed: it may change.
 *
 * Its mode is not looked at, as with keyturn's other secret files: Kubernetes mounts secrets readable to all within a
 * container, and a certificate that cannot be renewed for the sake of a mode is the greater harm.
 */
import { open } from "node:fs/promises";
import { messageOf } from "../core/errors.ts";
import { Secret } from "../core/secret.ts";

/** The most that OpenSSL takes for a private key. */
const MAX_BYTES = 1_024;
const LINE_FEED = 0x0a;
const CARRIAGE_RETURN = 0x0d;

/** A passphrase, or why there is none: completes the sentence "it is encrypted, and …". */
export type PassphraseResult =
  | { readonly ok: true; readonly passphrase: Secret<Uint8Array> }
  | { readonly ok: false; readonly why: string };

/** Reads it, without one line ending at its end. `file` is null where none is configured. Never throws. */
export async function readPassphrase(file: string | null): Promise<PassphraseResult> {
  if (file === null) {
    return {
      ok: false,
      why: "no passphrase is configured: name a file with it in checks.rules[].passphraseFile",
    };
  }
  try {
    const bytes = await readStart(file, MAX_BYTES + 3);
    const passphrase = withoutLineEnding(bytes);
    if (passphrase.length > MAX_BYTES) throw new Error(`${file} holds more than ${MAX_BYTES} bytes`);
    return { ok: true, passphrase: new Secret(passphrase) };
  } catch (thrown) {
    return { ok: false, why: `its passphraseFile cannot be used: ${messageOf(thrown)}` };
  }
}

async function readStart(file: string, most: number): Promise<Uint8Array> {
  const handle = await open(file);
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(most), 0, most, 0);
    return buffer.subarray(0, bytesRead);
  } finally {
    await handle.close();
  }
}

function withoutLineEnding(bytes: Uint8Array): Uint8Array {
  if (bytes.at(-1) !== LINE_FEED) return bytes;
  return bytes.subarray(0, bytes.at(-2) === CARRIAGE_RETURN ? -2 : -1);
}
