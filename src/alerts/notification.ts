/**
 * What Alertmanager sends, read: the webhook format of version 4, of which only what is needed is looked at
 * (https://prometheus.io/docs/alerting/latest/configuration/#webhook_config). Later versions may add to it.
 */
import { z } from "zod";

/** One alert. */
export interface Alert {
  readonly name: string;
  readonly isFiring: boolean;
  readonly labels: ReadonlyMap<string, string>;
  readonly startsAt: Date;
  /** Which alert it is and since when: Alertmanager sends the same again and again. */
  readonly identity: string;
}

/** The alerts of one request, or why it is none. */
export type Notification =
  | { readonly ok: true; readonly alerts: readonly Alert[] }
  | { readonly ok: false; readonly why: string };

/** Far more than a group has that is about one node. */
const MAX_ALERTS = 1_000;
const MAX_FINGERPRINT_CHARS = 128;

const notificationSchema = z.object({
  version: z.literal("4", 'expected "4": what Alertmanager sends'),
  alerts: z
    .array(
      z.object({
        status: z.enum(["firing", "resolved"], "expected firing or resolved"),
        labels: z.record(z.string(), z.string("expected a text"), "expected labels by their names"),
        startsAt: z
          .string("expected a time")
          .refine((text) => !Number.isNaN(Date.parse(text)), "expected a time"),
        fingerprint: z
          .string("expected a fingerprint")
          .min(1, "expected a fingerprint")
          .max(MAX_FINGERPRINT_CHARS, "expected a fingerprint"),
      }),
      "expected a list of alerts",
    )
    .max(MAX_ALERTS, `expected at most ${MAX_ALERTS} alerts`),
});

/** Reads the body of a request. */
export function readNotification(body: unknown): Notification {
  const parsed = notificationSchema.safeParse(body);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    return { ok: false, why: `${issue?.path.join(".") || "the body"}: ${issue?.message}` };
  }
  const alerts = parsed.data.alerts.map(({ status, labels, startsAt, fingerprint }) => {
    const byName = new Map(Object.entries(labels));
    return {
      name: byName.get("alertname") ?? "",
      isFiring: status === "firing",
      labels: byName,
      startsAt: new Date(startsAt),
      identity: JSON.stringify([fingerprint, startsAt]),
    };
  });
  return { ok: true, alerts };
}
