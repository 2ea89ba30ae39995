/** The body and headers of a hook, by the Standard Webhooks specification 1.0.0. Nothing secret is in either. */
import { createHmac } from "node:crypto";
import type { Secret } from "../core/secret.ts";
import type { Notice } from "../core/service.ts";

/** Strict: Node's decoder passes over what is not base64, and the receiver's would then come to another secret. */
const SECRET = /^whsec_([A-Za-z0-9+/]+={0,2})$/;

/** The JSON body: DESIGN's `certificate.rotated`. */
export function webhookBody(node: string, { generation, paths, reason }: Notice, now: Date): string {
  const { name, digest, revision, id, leaf } = generation;
  return JSON.stringify({
    type: "certificate.rotated",
    timestamp: now.toISOString(),
    data: { bundle: name, node, reason, digest, revision, generation: id, leaf, paths },
  });
}

/**
 * The three headers. `webhook-signature` is there where a secret is: `v1,` and the base64 HMAC-SHA-256 of
 * `id.timestamp.body`.
 *
 * @param id The same for every attempt of one delivery.
 */
export function webhookHeaders(
  id: string,
  body: string,
  now: Date,
  secret: Secret<Buffer> | undefined,
): Record<string, string> {
  const timestamp = String(Math.floor(now.getTime() / 1000));
  const headers = { "webhook-id": id, "webhook-timestamp": timestamp };
  if (secret === undefined) return headers;
  const signature = createHmac("sha256", secret.reveal())
    .update(`${id}.${timestamp}.${body}`)
    .digest("base64");
  return { ...headers, "webhook-signature": `v1,${signature}` };
}

/** Decodes a secret as the specification writes it: `whsec_` and base64, 24 to 64 bytes. Undefined where it is not one. */
export function decodeWebhookSecret(text: string): Buffer | undefined {
  const [, base64] = SECRET.exec(text.trim()) ?? [];
  if (base64 === undefined) return undefined;
  const bytes = Buffer.from(base64, "base64");
  return bytes.length >= 24 && bytes.length <= 64 ? bytes : undefined;
}
