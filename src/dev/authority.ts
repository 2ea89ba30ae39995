/** A certificate authority of its own, for `run --dev`, the demo and the tests. Not for anything that is real. */
import "reflect-metadata";
import { X509Certificate as NodeCertificate, randomBytes, webcrypto } from "node:crypto";
import {
  AuthorityKeyIdentifierExtension,
  BasicConstraintsExtension,
  ExtendedKeyUsage,
  ExtendedKeyUsageExtension,
  KeyUsageFlags,
  KeyUsagesExtension,
  SubjectAlternativeNameExtension,
  SubjectKeyIdentifierExtension,
  type X509Certificate,
  X509CertificateGenerator,
} from "@peculiar/x509";
import { writePem } from "../core/pem.ts";

/** A certificate with its key. */
export interface Credential {
  readonly certificate: X509Certificate;
  readonly certificatePem: string;
  /** PKCS#8. */
  readonly privateKeyPem: string;
  /** SHA-256 as OpenSSL prints it: upper-case, with colons. */
  readonly fingerprint256: string;
}

/** An authority that issues leaves and further authorities. */
export interface Authority extends Credential {
  /** A server and client certificate for the names: DNS names, or IP addresses. */
  issue(names: readonly string[], validForMs?: number): Promise<Credential>;
  /** An intermediate. */
  issueAuthority(commonName: string): Promise<Authority>;
}

const ALGORITHM = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };
const DAY_MS = 86_400_000;
/** Certificates begin a little earlier: the clocks of a fleet differ. */
const BACKDATE_MS = 60_000;

/** Makes a root on P-256. */
export async function createAuthority(commonName: string): Promise<Authority> {
  const keys = await webcrypto.subtle.generateKey(ALGORITHM, true, ["sign", "verify"]);
  const certificate = await generate(
    commonName,
    keys.publicKey,
    365 * DAY_MS,
    undefined,
    keys.privateKey,
    true,
  );
  return authorityOf(certificate, keys);
}

async function authorityOf(certificate: X509Certificate, keys: webcrypto.CryptoKeyPair): Promise<Authority> {
  return {
    ...(await credentialOf(certificate, keys)),
    issue: async (names, validForMs = 30 * DAY_MS) => {
      const leafKeys = await webcrypto.subtle.generateKey(ALGORITHM, true, ["sign", "verify"]);
      const commonName = names[0] ?? "leaf";
      const leaf = await generate(
        commonName,
        leafKeys.publicKey,
        validForMs,
        certificate,
        keys.privateKey,
        false,
        names,
      );
      return credentialOf(leaf, leafKeys);
    },
    issueAuthority: async (commonName) => {
      const caKeys = await webcrypto.subtle.generateKey(ALGORITHM, true, ["sign", "verify"]);
      const ca = await generate(
        commonName,
        caKeys.publicKey,
        90 * DAY_MS,
        certificate,
        keys.privateKey,
        true,
      );
      return authorityOf(ca, caKeys);
    },
  };
}

async function generate(
  commonName: string,
  publicKey: webcrypto.CryptoKey,
  validForMs: number,
  issuer: X509Certificate | undefined,
  signingKey: webcrypto.CryptoKey,
  isAuthority: boolean,
  names: readonly string[] = [],
): Promise<X509Certificate> {
  const now = Date.now();
  const usage = isAuthority
    ? [
        new BasicConstraintsExtension(true, undefined, true),
        new KeyUsagesExtension(KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign, true),
      ]
    : [
        new BasicConstraintsExtension(false, undefined, true),
        new KeyUsagesExtension(KeyUsageFlags.digitalSignature, true),
        new ExtendedKeyUsageExtension([ExtendedKeyUsage.serverAuth, ExtendedKeyUsage.clientAuth]),
        new SubjectAlternativeNameExtension(
          names.map((value) => ({ type: /^[\d.]+$|:/.test(value) ? "ip" : "dns", value })),
        ),
      ];
  return X509CertificateGenerator.create({
    // Positive, as RFC 5280 §4.1.2.2 asks.
    serialNumber: `00${randomBytes(15).toString("hex")}`,
    subject: `CN=${commonName}`,
    issuer: issuer?.subject ?? `CN=${commonName}`,
    notBefore: new Date(now - BACKDATE_MS),
    notAfter: new Date(now + validForMs),
    publicKey: publicKey,
    signingKey: signingKey,
    signingAlgorithm: ALGORITHM,
    extensions: [
      ...usage,
      await SubjectKeyIdentifierExtension.create(publicKey),
      ...(issuer ? [await AuthorityKeyIdentifierExtension.create(issuer.publicKey)] : []),
    ],
  });
}

async function credentialOf(
  certificate: X509Certificate,
  keys: webcrypto.CryptoKeyPair,
): Promise<Credential> {
  const pkcs8 = await webcrypto.subtle.exportKey("pkcs8", keys.privateKey);
  const { fingerprint256 } = new NodeCertificate(Buffer.from(certificate.rawData));
  return {
    certificate,
    fingerprint256,
    certificatePem: writePem("CERTIFICATE", new Uint8Array(certificate.rawData)),
    privateKeyPem: writePem("PRIVATE KEY", new Uint8Array(pkcs8)),
  };
}
