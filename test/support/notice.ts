/** What services are told, without a store that wrote it. */
import type { Digest } from "../../src/core/digest.ts";
import type { Generation, GenerationId } from "../../src/core/generation.ts";
import type { Notice } from "../../src/core/service.ts";
import { nameOf } from "./material.ts";

/** A generation of the bundle, with a leaf. */
export function generationOf(
  name = "inference",
  state: Generation["state"] = "current",
  number = 1,
): Generation {
  return {
    name: nameOf(name),
    id: `${number}-0123456789ab` as GenerationId,
    digest: `sha256:${String(number).repeat(64).slice(0, 64)}` as Digest,
    revision: 40 + number,
    state,
    stagedAt: "2031-01-01T00:00:00.000Z",
    changedAt: "2031-01-01T00:00:01.000Z",
    leaf: {
      subject: `CN=${name}`,
      issuer: "CN=Test Intermediate",
      serial: "0A",
      fingerprint256: "AA:BB",
      notBefore: "2031-01-01T00:00:00.000Z",
      notAfter: "2031-02-01T00:00:00.000Z",
      dnsNames: [`${name}.local`],
      ipAddresses: [],
      uris: [],
      keyType: "EC P-256",
    },
    rollback: null,
  };
}

/** A notice of that generation. */
export function noticeOf(generation: Generation = generationOf()): Notice {
  const dir = `/var/lib/keyturn/${generation.name}`;
  const paths = {
    dir,
    cert: `${dir}/tls.crt`,
    key: `${dir}/tls.key`,
    combined: `${dir}/tls.pem`,
    ca: `${dir}/ca.crt`,
    crl: null,
  };
  return { generation, paths, reason: "rotated" };
}
