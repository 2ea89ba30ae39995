/** Decrypts a private key that is given as PEM, of any form that the providers of OpenSSL in this process know. */
import { createPrivateKey } from "node:crypto";
import { systemCodeOf } from "../../core/errors.ts";
import type { OpenReply } from "./messages.ts";

/** Such as ERR_OSSL_EVP_UNSUPPORTED for a cipher of another provider, ERR_OSSL_EVP_UNKNOWN_PBE_ALGORITHM for none at all. */
const UNKNOWN_ENCRYPTION = /^ERR_OSSL_(EVP|PEM)_(UNSUPPORTED|UNKNOWN)/;

/** Gives the key as PKCS#8. Never throws. */
export function openKey(pem: string, passphrase: Uint8Array): OpenReply {
  try {
    const key = createPrivateKey({ key: pem, passphrase: Buffer.from(passphrase) });
    const der = key.export({ type: "pkcs8", format: "der" });
    return { kind: "opened", keys: [der.toString("base64")], certificates: [], crls: [], schemes: [] };
  } catch (thrown) {
    // A wrong passphrase mostly leaves wrong padding; where the padding is right by chance, it leaves no key.
    const isKnown = !UNKNOWN_ENCRYPTION.test(systemCodeOf(thrown) ?? "");
    return { kind: isKnown ? "wrongPassphrase" : "unsupported" };
  }
}
