/** What Alertmanager sends, and a desk that takes it. */
import type { BundleFacts } from "../../src/alerts/decide.ts";
import { AlertDesk, type DeskOptions } from "../../src/alerts/desk.ts";
import type { AlertRule, AlertSettings } from "../../src/alerts/rule.ts";
import type { DaemonEvent } from "../../src/core/events.ts";
import { generationOf } from "./notice.ts";

const MINUTE_MS = 60_000;

/** When everything here happens. */
export const NOW = new Date("2031-01-15T12:00:00.000Z");

/** An alert as it is sent. */
export interface SentAlert {
  readonly status?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly startsAt?: string;
  readonly fingerprint?: string;
}

/** A notification of Alertmanager 0.25 with these alerts: by default one about `inference` on `gpu-017`, five minutes old. */
export function notificationOf(...alerts: readonly SentAlert[]) {
  return {
    version: "4",
    groupKey: '{}:{alertname="ModelErrors"}',
    truncatedAlerts: 0,
    status: "firing",
    receiver: "keyturn",
    groupLabels: { alertname: "ModelErrors" },
    commonLabels: { alertname: "ModelErrors" },
    commonAnnotations: {},
    externalURL: "http://alertmanager:9093",
    alerts: alerts.map(({ labels, ...rest }, at) => ({
      status: "firing",
      labels: { alertname: "ModelErrors", bundle: "inference", instance: "gpu-017:9464", ...labels },
      annotations: { summary: "5 % of the requests fail" },
      startsAt: new Date(NOW.getTime() - 5 * MINUTE_MS).toISOString(),
      endsAt: "0001-01-01T00:00:00Z",
      generatorURL: "http://prometheus:9090/graph",
      fingerprint: `c6eadffa33fcdf3${at}`,
      ...rest,
    })),
  };
}

/** A rule that rolls back, with limits that are not reached at once. */
const RULE: AlertRule = {
  alert: "ModelErrors",
  do: "rollback",
  bundles: ["*"],
  atMost: 3,
  per: 60 * MINUTE_MS,
  cooldown: 10 * MINUTE_MS,
  within: 60 * MINUTE_MS,
  anyNode: false,
};

/** Settings of `gpu-017` with this one rule. */
export function settingsOf(
  rule: Partial<AlertRule> = {},
  settings: Partial<AlertSettings> = {},
): AlertSettings {
  return {
    nodeLabels: ["node", "instance"],
    nodeNames: ["gpu-017"],
    atMost: 10,
    per: 60 * MINUTE_MS,
    rules: [{ ...RULE, ...rule }],
    ...settings,
  };
}

/** A bundle that was rotated ten minutes ago and is well. */
export const ROTATED: BundleFacts = {
  isTurning: false,
  rotatedAt: new Date(NOW.getTime() - 10 * MINUTE_MS),
  wasPutBack: false,
  earlierUntil: new Date(NOW.getTime() + 60 * MINUTE_MS),
  setAsideBy: null,
};

/** A desk whose clock stands until it is moved, and what it did and told. */
export function useDesk(options: Partial<DeskOptions> = {}) {
  const acted: string[] = [];
  const events: DaemonEvent[] = [];
  let passedMs = 0;
  const generation = generationOf("inference", "live");
  const desk = new AlertDesk({
    settings: () => settingsOf(),
    factsOf: () => ROTATED,
    act: async (action, bundle, why) => {
      acted.push(`${action} ${bundle}: ${why}`);
      return { kind: "reloaded", outcome: { kind: "live", generation, warning: null } };
    },
    now: () => new Date(NOW.getTime() + passedMs),
    monotonicMs: () => 1_000 + passedMs,
    report: (event) => void events.push(event),
    ...options,
  });
  return {
    desk,
    acted,
    events,
    /** Takes them as one notification, and waits until what was begun has ended. */
    send: async (...alerts: readonly SentAlert[]) => {
      const answer = desk.take(notificationOf(...alerts));
      await desk.settle();
      return answer.ok ? answer.alerts : [];
    },
    pass: (ms: number) => {
      passedMs += ms;
    },
  };
}
