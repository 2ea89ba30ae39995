/**
 * Where alerts arrive: each is decided at once, and what is to be done is begun. Whoever sent them does not wait for its
 * end, because a rollback may take longer than Alertmanager waits.
 */
import type { AlertAction, AlertResult } from "../core/alert.ts";
import { KeyturnError, messageOf } from "../core/errors.ts";
import type { Report } from "../core/events.ts";
import type { BundleName } from "../core/names.ts";
import type { RetryResult } from "../core/outcome.ts";
import { shorten } from "../core/words.ts";
import { type BundleFacts, type Decision, decide } from "./decide.ts";
import { type Alert, readNotification } from "./notification.ts";
import { PastActions } from "./past-actions.ts";
import type { AlertSettings } from "./rule.ts";

/** What the desk works with. */
export interface DeskOptions {
  readonly settings: () => AlertSettings;
  readonly factsOf: (bundle: BundleName) => BundleFacts | undefined;
  /**
   * Does it, and resolves when it has ended.
   *
   * @param why For the history: that an alert asked for it, and which.
   * @throws KeyturnError BUNDLE_UNKNOWN, NOTHING_TO_DO, STORE_FAILED.
   */
  readonly act: (action: AlertAction, bundle: BundleName, why: string) => Promise<RetryResult>;
  readonly now: () => Date;
  readonly monotonicMs: () => number;
  readonly report: Report;
}

/** What became of one alert: part of the answer to `POST /-/alerts`. */
export interface AlertAnswer {
  readonly alert: string;
  /** Null where nothing is done and nothing was to be. */
  readonly bundle: BundleName | null;
  readonly action: AlertAction | null;
  readonly result: "begun" | "limited" | "unsuitable" | "ignored";
  readonly why: string;
}

/** The answer, or what is wrong with the request. */
export type DeskAnswer =
  | { readonly ok: true; readonly alerts: readonly AlertAnswer[] }
  | { readonly ok: false; readonly why: string };

/** Takes notifications. Limits last as long as the desk does, whatever configuration comes. */
export class AlertDesk {
  readonly #options: DeskOptions;
  readonly #past = new PastActions();
  readonly #underWay = new Set<Promise<void>>();

  constructor(options: DeskOptions) {
    this.#options = options;
  }

  /** @param body What Alertmanager sent, parsed. */
  take(body: unknown): DeskAnswer {
    const notification = readNotification(body);
    return notification.ok
      ? { ok: true, alerts: notification.alerts.map((alert) => this.#take(alert)) }
      : notification;
  }

  /** Resolves when everything that was begun has ended. */
  async settle(): Promise<void> {
    await Promise.all(this.#underWay);
  }

  #take(alert: Alert): AlertAnswer {
    const { settings, factsOf, now, monotonicMs, report } = this.#options;
    const known = { settings: settings(), factsOf, past: this.#past, now: now(), monotonicMs: monotonicMs() };
    const decision = decide(alert, known);
    const name = shorten(alert.name);
    if (decision.kind === "ignored") {
      report({ type: "alert.ignored", alert: name, why: decision.why });
      return { alert: name, bundle: null, action: null, result: "ignored", why: decision.why };
    }
    const { action, bundle } = decision;
    const about = { alert: name, bundle, action };
    if (decision.kind === "held") {
      const { result, why } = decision;
      report({ type: "alert.acted", ...about, result, message: why });
      return { ...about, result, why };
    }
    this.#past.begin(alert.identity, bundle, known.monotonicMs);
    const why = `the alert ${name} asked for it`;
    report({ type: "alert.acted", ...about, result: "begun", message: why });
    const task = this.#act(decision, alert.identity, about, why).finally(() => this.#underWay.delete(task));
    this.#underWay.add(task);
    return { ...about, result: "begun", why: "it is being done: the log and the status say how it ends" };
  }

  /** Never rejects. */
  async #act(
    { action, bundle }: Extract<Decision, { readonly kind: "act" }>,
    identity: string,
    about: { readonly alert: string; readonly bundle: BundleName; readonly action: AlertAction },
    why: string,
  ): Promise<void> {
    const { act, report } = this.#options;
    const end = await act(action, bundle, why).then(
      (ended) => endOf(action, ended),
      (thrown: unknown) => ({ result: resultOfThrown(thrown), message: messageOf(thrown) }),
    );
    this.#past.end(bundle);
    if (end.result === "nothing") this.#past.forget(identity);
    report({ type: "alert.acted", ...about, ...end });
  }
}

interface End {
  readonly result: AlertResult;
  readonly message: string;
}

function endOf(action: AlertAction, ended: RetryResult): End {
  if (ended.kind === "rejected") {
    const codes = ended.problems.map(({ code }) => code).join(", ");
    return { result: "failed", message: `the checks reject the content: ${codes}` };
  }
  const { outcome } = ended;
  switch (outcome.kind) {
    case "live":
    case "unchanged":
      return { result: "done", message: `${outcome.generation.id} is live` };
    case "pending":
      return { result: "done", message: `${outcome.generation.id} is current; ${outcome.message}` };
    case "rolledBack": {
      const { generation, message, unfinished } = outcome;
      const back = `${generation.id} is current again`;
      if (action === "retry") return { result: "failed", message: `${back}: ${message}` };
      return { result: "done", message: unfinished === null ? back : `${back}; ${unfinished}` };
    }
    case "interrupted":
      return { result: "nothing", message: "something newer came, or keyturn stops" };
    case "failed":
      return { result: "failed", message: outcome.message };
  }
}

function resultOfThrown(thrown: unknown): AlertResult {
  const isNothing =
    thrown instanceof KeyturnError && ["NOTHING_TO_DO", "BUNDLE_UNKNOWN"].includes(thrown.code);
  return isNothing ? "nothing" : "failed";
}
