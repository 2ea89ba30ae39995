/** What OpenSSL works with in a handshake. What holds trust alone is remembered: it comes again with each rotation. */
import { constants } from "node:crypto";
import { createSecureContext, type SecureContext, type SecureContextOptions } from "node:tls";
import type { TrustPem } from "../core/handshake.ts";
import type { BareIdentity } from "./messages.ts";

/** Trust as OpenSSL takes it. */
export interface Trust extends TrustPem {
  /** Whether a chain may end at any trusted certificate (RFC 5280 §6.1.1 d), or only at a root. */
  readonly partial: boolean;
}

/** OpenSSL's security level: at 2 it refuses keys and signatures of less than 112 bits, at 0 it takes any. */
type SecurityLevel = 0 | 2;

/** Makes contexts. Each throws what OpenSSL has against what it is given. */
export interface Contexts {
  /** Presents nothing. */
  ofTrust(trust: Trust, level: SecurityLevel): SecureContext;
  ofIdentity(identity: BareIdentity, trust: Trust, level: SecurityLevel): SecureContext;
  /**
   * Makes the next context of an identity without trust, as most are, up to where the identity is known: while nobody
   * waits for it.
   */
  makeSpare(): void;
}

/** Cipher lists with the level they set. */
const CIPHERS: Readonly<Record<SecurityLevel, string>> = {
  0: "DEFAULT@SECLEVEL=0",
  2: "DEFAULT@SECLEVEL=2",
};

/** A server that is met once has no use for session tickets. */
const OF_SERVERS: SecureContextOptions = { secureOptions: constants.SSL_OP_NO_TICKET };

/** Nothing verifies against it. */
export const NO_TRUST: Trust = { anchors: "", crls: [], partial: false };

const MAX_REMEMBERED = 32;
/** Characters of PEM: trust with large revocation lists is not kept. */
const MAX_REMEMBERED_LENGTH = 256 << 10;

/** Makes a maker of contexts, which keeps those it made last. Nothing that holds a private key is kept. */
export function createContexts(): Contexts {
  const kept = new Map<string, SecureContext>();
  let spare: SecureContext | undefined;
  return {
    ofTrust: (trust, level) => {
      const name = JSON.stringify([level, trust.partial, trust.anchors, trust.crls]);
      const context = kept.get(name) ?? createSecureContext(optionsOf(trust, level));
      if (name.length > MAX_REMEMBERED_LENGTH) return context;
      // A Map goes from the oldest entry to the newest: what is used moves to the end.
      kept.delete(name);
      kept.set(name, context);
      const [oldest] = kept.keys();
      if (kept.size > MAX_REMEMBERED && oldest !== undefined) kept.delete(oldest);
      return context;
    },
    ofIdentity: (identity, trust, level) => {
      if (trust === NO_TRUST && level === 2 && spare !== undefined) {
        const context = spare;
        spare = undefined;
        return loadInto(context, identity);
      }
      const { chain: cert, key } = identity;
      return createSecureContext({ ...optionsOf(trust, level), ...OF_SERVERS, cert, key });
    },
    makeSpare: () => {
      const made = spare ?? createSecureContext({ ...optionsOf(NO_TRUST, 2), ...OF_SERVERS });
      // Node's types know them, its documentation does not: without them each context is made in one go.
      const { setCert, setKey } = made.context;
      spare = typeof setCert === "function" && typeof setKey === "function" ? made : undefined;
    },
  };
}

/** As `createSecureContext` itself goes on, in this order: a key is compared with the certificate that is there. */
function loadInto(made: SecureContext, { chain, key }: BareIdentity): SecureContext {
  made.context.setCert(chain);
  made.context.setKey(key);
  return made;
}

function optionsOf({ anchors, crls, partial }: Trust, level: SecurityLevel): SecureContextOptions {
  return {
    // An empty list, and not nothing: nothing stands for the authorities that Node brings along.
    ca: anchors === "" ? [] : anchors,
    // One by one: of a concatenation OpenSSL reads the first. With any, it wants one of each authority in the chain.
    ...(crls.length > 0 ? { crl: [...crls] } : {}),
    allowPartialTrustChain: partial,
    ciphers: CIPHERS[level],
  };
}
