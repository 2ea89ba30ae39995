/** Undoes encryption by a passphrase, for the schemes that PKCS#12 files come in. */
import { createDecipheriv } from "node:crypto";
import { SEQUENCE } from "../../core/der.ts";
import { systemCodeOf } from "../../core/errors.ts";
import { childrenOf, type Element, expected, identifierOf, octetsOf, readElement } from "./ber.ts";
import { derivePbkdf2, iterationsOf } from "./pbkdf2.ts";
import { deriveKey, PURPOSES } from "./pkcs12-key.ts";
import { type Cipher, PBES2, PBES2_CIPHERS, PKCS12_CIPHERS } from "./scheme.ts";

/** A passphrase in the two forms that schemes take. */
export interface Passphrase {
  readonly utf8: Uint8Array;
  /** As `toBmpString` gives it; for an empty passphrase some programs take no bytes at all (RFC 7292 §B.2, step 3). */
  readonly bmp: Uint8Array;
}

/** What was decrypted, or why nothing was: `unsupported` by the providers of OpenSSL that this process has. */
export type Decrypted = Uint8Array | "wrongPassphrase" | "unsupported";

const UNSUPPORTED = ["ERR_OSSL_EVP_UNSUPPORTED", "ERR_CRYPTO_UNKNOWN_CIPHER"];

/** Decrypts one SEQUENCE. Throws an Error where the algorithm is damaged, unknown, or asks for too much work. */
export function decrypt(algorithm: Element | undefined, data: Uint8Array, passphrase: Passphrase): Decrypted {
  const [identifier, parameters] = childrenOf(expected(algorithm));
  const id = identifierOf(identifier);
  const { cipher, key, iv } =
    id === PBES2 ? pbes2KeyOf(parameters, passphrase.utf8) : pkcs12KeyOf(id, parameters, passphrase.bmp);
  try {
    const decipher = createDecipheriv(cipher, key, iv);
    const value = Buffer.concat([decipher.update(data), decipher.final()]);
    // A wrong key may by chance leave padding that looks right, and a stream cipher has none.
    return isOneSequence(value) ? value : "wrongPassphrase";
  } catch (thrown) {
    return UNSUPPORTED.includes(systemCodeOf(thrown) ?? "") ? "unsupported" : "wrongPassphrase";
  }
}

interface CipherKey {
  readonly cipher: string;
  readonly key: Uint8Array;
  readonly iv: Uint8Array;
}

function pbes2KeyOf(parameters: Element | undefined, passphrase: Uint8Array): CipherKey {
  const [derivation, encryption] = childrenOf(expected(parameters));
  const [identifier, vector] = childrenOf(expected(encryption));
  const { name, keyBytes, ivBytes } = known(PBES2_CIPHERS, identifierOf(identifier));
  const iv = octetsOf(vector);
  if (iv.length !== ivBytes) throw new Error("its initialization vector has a wrong length");
  return { cipher: name, key: derivePbkdf2(derivation, passphrase, keyBytes), iv };
}

function pkcs12KeyOf(id: string, parameters: Element | undefined, passphrase: Uint8Array): CipherKey {
  const { name, keyBytes, ivBytes } = known(PKCS12_CIPHERS, id);
  const [saltElement, rounds] = childrenOf(expected(parameters));
  const [salt, iterations] = [octetsOf(saltElement), iterationsOf(rounds)];
  const derive = (purpose: 1 | 2, bytes: number) =>
    deriveKey({ hash: "sha1", purpose, passphrase, salt, iterations }, bytes);
  return { cipher: name, key: derive(PURPOSES.encryption, keyBytes), iv: derive(PURPOSES.iv, ivBytes) };
}

function known(ciphers: ReadonlyMap<string, Cipher>, id: string): Cipher {
  const cipher = ciphers.get(id);
  if (cipher === undefined) throw new Error(`it is encrypted in a way that is not known here (${id})`);
  return cipher;
}

function isOneSequence(bytes: Uint8Array): boolean {
  try {
    const { tag, whole } = readElement(bytes);
    return tag === SEQUENCE && whole.length === bytes.length;
  } catch {
    return false;
  }
}
