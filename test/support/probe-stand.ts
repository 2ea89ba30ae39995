/** What a probe works with in a test: a TLS service, a bundle it serves, one it should serve, and what was reported. */
import { X509Certificate } from "node:crypto";
import type { TestContext } from "node:test";
import type { DaemonEvent } from "../../src/core/events.ts";
import type { Generation } from "../../src/core/generation.ts";
import type { Clock } from "../../src/runtime/clock.ts";
import type { TlsProbe, TlsTools } from "../../src/verify/tls-look.ts";
import { lookAt } from "./look-at.ts";
import { generationOf } from "./notice.ts";
import { patientClock } from "./patient-clock.ts";
import { type BundlePems, createBundleMaker } from "./pki.ts";
import { useTlsService } from "./tls-service.ts";

/** A look as it was reported. */
export type LookedEvent = Extract<DaemonEvent, { type: "service.looked" }>;

/** Sets it up: the service serves `old`, and `next` is to be served. The clock does not wait unless another is given. */
export async function useProbeStand(t: TestContext, clock: Clock = patientClock()) {
  const pki = await createBundleMaker();
  const [old, next] = [await pki.make("old.local"), await pki.make("next.local")];
  const service = await useTlsService(t, old);
  const events: LookedEvent[] = [];
  const tools: TlsTools = {
    lookAt,
    trustOf: async () => ({ anchors: pki.root.certificatePem, crls: [] }),
    clientOf: async () => null,
    clock,
    report: (event) => {
      if (event.type === "service.looked") events.push(event);
    },
  };
  const probe: TlsProbe = {
    service: "vllm",
    host: "127.0.0.1",
    port: service.port,
    withinMs: 10_000,
    connections: 3,
  };
  return { pki, old, next, service, events, tools, probe, expected: generationWith(next) };
}

/** A generation with the leaf of the bundle. */
export function generationWith(
  { leaf }: Pick<BundlePems, "leaf">,
  name = "inference",
  number = 1,
): Generation {
  const generation = generationOf(name, "live", number);
  const read = new X509Certificate(leaf.certificatePem);
  const known = {
    subject: read.subject,
    issuer: read.issuer,
    serial: read.serialNumber,
    fingerprint256: read.fingerprint256,
    notBefore: new Date(read.validFrom).toISOString(),
    notAfter: new Date(read.validTo).toISOString(),
    dnsNames: [...(read.subjectAltName ?? "").matchAll(/DNS:([^,]+)/g)].map(([, dns = ""]) => dns),
  };
  return { ...generation, leaf: generation.leaf && { ...generation.leaf, ...known } };
}

/** A signal nobody aborts. */
export function untroubled(): AbortSignal {
  return new AbortController().signal;
}
