/** Whether an alert has something done to a bundle here, and if not, why not. Pure. */
import type { AlertAction } from "../core/alert.ts";
import type { RollbackCause } from "../core/generation.ts";
import { matchesAny } from "../core/glob.ts";
import { type BundleName, bundleName } from "../core/names.ts";
import { shorten } from "../core/words.ts";
import type { Alert } from "./notification.ts";
import type { PastActions } from "./past-actions.ts";
import type { AlertRule, AlertSettings } from "./rule.ts";

/** What has to be known of a bundle. */
export interface BundleFacts {
  /** Newer content is on its way: what an alert says is not about that. */
  readonly isTurning: boolean;
  /** When the rotation to what is current reached disk, and so services; null where nothing is current. */
  readonly rotatedAt: Date | null;
  /** Whether what is current was put back, and the content it was put back for is still set aside. */
  readonly wasPutBack: boolean;
  /** When the leaf ends of what it would go back to; null where there is none. */
  readonly earlierUntil: Date | null;
  /** Who set aside the content that is in quarantine; null where none is. */
  readonly setAsideBy: RollbackCause | null;
}

/** What a decision is made with. */
export interface Known {
  readonly settings: AlertSettings;
  /** Undefined where there is no such bundle here. */
  readonly factsOf: (bundle: BundleName) => BundleFacts | undefined;
  readonly past: PastActions;
  readonly now: Date;
  readonly monotonicMs: number;
}

/** What is done, or why it is not. */
export type Decision =
  | { readonly kind: "act"; readonly action: AlertAction; readonly bundle: BundleName }
  | {
      readonly kind: "held";
      readonly result: "limited" | "unsuitable";
      readonly action: AlertAction;
      readonly bundle: BundleName;
      readonly why: string;
    }
  | { readonly kind: "ignored"; readonly why: string };

/** Decides on one alert. */
export function decide(alert: Alert, known: Known): Decision {
  const { settings, factsOf, past } = known;
  if (!alert.isFiring) return ignored("it is resolved");
  const rules = settings.rules.filter((rule) => rule.alert === alert.name);
  if (rules.length === 0) return ignored("no rule of alerts.rules is about it");
  const label = alert.labels.get("bundle");
  const bundle = label === undefined ? undefined : bundleName(label);
  if (bundle === undefined) return ignored("it names no bundle: it needs a label bundle");
  const rule = rules.find(({ bundles }) => matchesAny(bundle, bundles));
  if (rule === undefined) return ignored(`no rule of alerts.rules lets it do anything to ${bundle}`);
  const elsewhere = whyNotHere(alert, rule, settings);
  if (elsewhere !== null) return ignored(elsewhere);
  const facts = factsOf(bundle);
  if (facts === undefined) return ignored(`there is no bundle ${bundle} here`);
  if (past.has(alert.identity)) return ignored("it had that done already: Alertmanager sends it again");

  const held = { kind: "held", action: rule.do, bundle } as const;
  const unsuitable = rule.do === "rollback" ? whyNotBack(alert, rule, facts, known) : whyNotAgain(facts);
  if (unsuitable !== null) return { ...held, result: "unsuitable", why: unsuitable };
  const limit = limitReached(bundle, rule, known);
  if (limit !== null) return { ...held, result: "limited", why: limit };
  return { kind: "act", action: rule.do, bundle };
}

/** An alert is about this node where the label says so. One that names none could be any node's, and so every node's. */
function whyNotHere(
  { labels }: Alert,
  { anyNode }: AlertRule,
  { nodeLabels, nodeNames }: AlertSettings,
): string | null {
  const label = nodeLabels.find((name) => labels.has(name));
  if (label === undefined) {
    return anyNode
      ? null
      : `it names no node: it needs a label ${nodeLabels.join(" or ")}, or the rule anyNode`;
  }
  const named = labels.get(label) ?? "";
  // Prometheus names a target by host and port.
  const host = named.replace(/:\d+$/, "");
  return [named, host].some((one) => nodeNames.includes(one))
    ? null
    : `its ${label} is ${JSON.stringify(shorten(named))}: it is about another node`;
}

function whyNotBack(
  { startsAt }: Alert,
  { within }: AlertRule,
  { isTurning, rotatedAt, wasPutBack, earlierUntil }: BundleFacts,
  { now }: Known,
): string | null {
  if (wasPutBack) return "it went back already, and does not go back further by itself";
  if (isTurning) return "newer content is on its way";
  if (rotatedAt === null) return "nothing of it went live that could be given up";
  if (earlierUntil !== null && earlierUntil <= now)
    return `what it would go back to has expired at ${earlierUntil.toISOString()}`;
  const sinceMs = now.getTime() - rotatedAt.getTime();
  if (sinceMs > within)
    return `it was rotated at ${rotatedAt.toISOString()}, which is too long ago to be the cause`;
  return startsAt < rotatedAt ? "the alert began before the rotation" : null;
}

/** What a person or an alert set aside was not set aside by mistake of a moment. */
function whyNotAgain({ setAsideBy }: BundleFacts): string | null {
  if (setAsideBy === null || setAsideBy === "service") return null;
  return `its content was set aside by an ${setAsideBy}: only keyturn retry by hand brings it back`;
}

function limitReached(
  bundle: BundleName,
  { atMost, per, cooldown }: AlertRule,
  { settings, past, monotonicMs }: Known,
): string | null {
  if (past.isUnderWay(bundle)) return "an action on it is under way";
  const last = past.lastOn(bundle);
  if (last !== undefined && monotonicMs - last < cooldown) {
    return `the last action on it was ${seconds(monotonicMs - last)} ago, cooldown is ${seconds(cooldown)}`;
  }
  if (past.countSince(monotonicMs - per, bundle) >= atMost) {
    return `${atMost} actions on it in ${seconds(per)} are the most of the rule`;
  }
  return past.countSince(monotonicMs - settings.per, null) >= settings.atMost
    ? `${settings.atMost} actions on this node in ${seconds(settings.per)} are the most of alerts.atMost`
    : null;
}

function ignored(why: string): Decision {
  return { kind: "ignored", why };
}

function seconds(ms: number): string {
  return `${Math.round(ms / 1_000)} s`;
}
