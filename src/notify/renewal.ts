/** Tells an issuer that a certificate nears its end: the same delivery as a hook, of another message. */
import type { DaemonEvent } from "../core/events.ts";
import type { ServiceAnswer } from "../core/service.ts";
import { type DeliveryOptions, deliver } from "./delivery.ts";

/** What is told. */
export type Expiring = Extract<DaemonEvent, { readonly type: "certificate.expiring" }>;

/** Delivers `certificate.expiring` to `renewal.http`. Every call is a delivery with an id of its own. */
export function notifyRenewal(
  options: DeliveryOptions,
  expiring: Expiring,
  signal: AbortSignal,
): Promise<ServiceAnswer> {
  const body = (now: Date) => renewalBody(options.node, expiring, now);
  return deliver(options, { bundle: expiring.bundle, body }, signal);
}

function renewalBody(
  node: string,
  { type, bundle, generation, leaf, threshold, remainingMs }: Expiring,
  now: Date,
): string {
  // Less than nothing once it has expired.
  const remainingSeconds = Math.floor(remainingMs / 1000);
  const data = { bundle, node, threshold, remainingSeconds, generation, leaf };
  return JSON.stringify({ type, timestamp: now.toISOString(), data });
}
