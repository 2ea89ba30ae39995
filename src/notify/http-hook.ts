/** Tells a service over HTTP that a bundle was rotated. */
import type { Notice, ServiceAnswer } from "../core/service.ts";
import { type DeliveryOptions, deliver } from "./delivery.ts";
import { webhookBody } from "./webhook.ts";

/** Delivers one notice, with the retries and answers of {@link deliver}. */
export function notifyHttp(
  options: DeliveryOptions,
  notice: Notice,
  signal: AbortSignal,
): Promise<ServiceAnswer> {
  const body = (now: Date) => webhookBody(options.node, notice, now);
  return deliver(options, { bundle: notice.generation.name, body }, signal);
}
