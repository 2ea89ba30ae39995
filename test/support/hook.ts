/** Delivers hooks as the daemon would, and keeps what was reported. */
import type { DaemonEvent } from "../../src/core/events.ts";
import type { ServiceAnswer } from "../../src/core/service.ts";
import type { DeliveryOptions } from "../../src/notify/delivery.ts";
import { notifyHttp } from "../../src/notify/http-hook.ts";
import { noticeOf } from "./notice.ts";
import { type PatientClock, patientClock } from "./patient-clock.ts";

/** An attempt as it was reported. */
type HookAttempt = Extract<DaemonEvent, { type: "hook.attempted" }>;

/** A hook that can be delivered. */
export interface TestHook {
  readonly attempts: HookAttempt[];
  readonly clock: PatientClock;
  deliver(signal?: AbortSignal): Promise<ServiceAnswer>;
}

/** A hook of the service `vllm` on the url; it does not wait between attempts. */
export function hookOf(
  url: string,
  options: Partial<DeliveryOptions> = {},
  clock = patientClock(),
): TestHook {
  const attempts: HookAttempt[] = [];
  const all: DeliveryOptions = {
    service: "vllm",
    node: "gpu-017",
    userAgent: "keyturn/test",
    url,
    method: "POST",
    timeoutMs: 20_000,
    attempts: 3,
    clock,
    report: (event) => {
      if (event.type === "hook.attempted") attempts.push(event);
    },
    ...options,
  };
  return {
    attempts,
    clock,
    deliver: (signal = new AbortController().signal) => notifyHttp(all, noticeOf(), signal),
  };
}
