/** Rules of the configuration: which alert may have what done to which bundles, and how often. Times in milliseconds. */
import type { AlertAction } from "../core/alert.ts";

/** One rule. */
export interface AlertRule {
  /** The name of the alert, exactly. */
  readonly alert: string;
  readonly do: AlertAction;
  /** Bundles it may be done to: names or patterns. */
  readonly bundles: readonly string[];
  /** Actions on one bundle in `per`, whichever rule had them done. */
  readonly atMost: number;
  readonly per: number;
  /** Since the last action on the bundle, whichever rule had it done. */
  readonly cooldown: number;
  /** For a rollback: how long after its rotation a bundle may still go back. */
  readonly within: number;
  /** Whether an alert that names no node is this node's too. */
  readonly anyNode: boolean;
}

/** All of them, and what goes for the node. */
export interface AlertSettings {
  /** Labels that name the node an alert is about: the first that it has counts. */
  readonly nodeLabels: readonly string[];
  /** What this node is called there. */
  readonly nodeNames: readonly string[];
  /** Actions on this node in `per`. */
  readonly atMost: number;
  readonly per: number;
  readonly rules: readonly AlertRule[];
}
