/** What passes between keyturn and the process that opens locked things for it: JSON, bytes as base64. */
import type { Scheme } from "./scheme.ts";

/** One thing to open. */
export type OpenRequest =
  | {
      readonly kind: "key";
      /** An encrypted private key, as PEM. */
      readonly pem: string;
      readonly passphrase: string;
    }
  | {
      readonly kind: "pkcs12";
      readonly file: string;
      /** Null for one that should need none. */
      readonly passphrase: string | null;
    };

/** What was in it; keys are PKCS#8 DER, unencrypted. */
export interface Opened {
  readonly kind: "opened";
  readonly keys: readonly string[];
  readonly certificates: readonly string[];
  readonly crls: readonly string[];
  /** How its parts were encrypted. */
  readonly schemes: readonly Scheme[];
}

/** Why it was not opened. */
export type Refusal =
  | { readonly kind: "wrongPassphrase" }
  /** The providers of OpenSSL that the process has do not know its encryption. */
  | { readonly kind: "unsupported" }
  /** Completes a sentence that begins with what was read; holds nothing of it. */
  | { readonly kind: "unreadable"; readonly why: string };

/** The one answer to the one request. */
export type OpenReply = Opened | Refusal;
