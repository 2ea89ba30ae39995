/** What requests are passed on with, and what is said where that fails. */
import type { Agent } from "node:http";
import { type Exchange, refuse } from "./exchange.ts";
import type { ProxyMetrics } from "./metrics.ts";
import type { TargetFault, TargetService } from "./target.ts";

/** What requests are passed on with. */
export interface Forwarding {
  readonly target: TargetService;
  readonly agent: Agent;
  readonly metrics: ProxyMetrics;
  readonly asksForCertificates: boolean;
  readonly trustForwarded: boolean;
  readonly responseTimeoutMs: number;
  /** Whether connections are to end. */
  readonly isClosing: () => boolean;
  readonly onFault: (fault: TargetFault, why: string) => void;
}

const ANSWERS: Readonly<Record<TargetFault, readonly [status: number, what: string]>> = {
  target_refused: [502, "takes no connection"],
  target_broken: [502, "broke off before it had answered"],
  target_timeout: [504, "did not answer in time"],
};

/** Answers in place of a target that did not. `why` is for the log, not for clients. */
export function refuseFor(fault: TargetFault, why: string, exchange: Exchange, by: Forwarding): void {
  const [status, what] = ANSWERS[fault];
  by.onFault(fault, why);
  refuse(exchange, status, fault.toUpperCase(), `the service behind this proxy ${what}`);
}
