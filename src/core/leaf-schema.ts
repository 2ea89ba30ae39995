/** A leaf's summary as `manifest.json` holds it, the same for the daemon that wrote it and for a service that reads it. */
import { z } from "zod";
import type { LeafSummary } from "./bundle.ts";

const names = z.array(z.string());

/** Takes what is a {@link LeafSummary}. */
export const leafSchema: z.ZodType<LeafSummary> = z.object({
  subject: z.string(),
  issuer: z.string(),
  serial: z.string(),
  fingerprint256: z.string(),
  notBefore: z.iso.datetime(),
  notAfter: z.iso.datetime(),
  dnsNames: names,
  ipAddresses: names,
  uris: names,
  keyType: z.string(),
});
