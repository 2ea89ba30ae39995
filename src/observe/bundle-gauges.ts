/** Gauges that say what the current generation of each bundle is, computed at each scrape from what is current then. */
import type { Registry } from "prom-client";
import type { LeafSummary } from "../core/bundle.ts";
import type { Generation } from "../core/generation.ts";
import type { Labels } from "../core/meta.ts";
import type { BundleName } from "../core/names.ts";
import { instrumentsOf } from "./instruments.ts";
import { labelValue } from "./label-value.ts";

const INFO = "keyturn_bundle_info";
const INFO_LABELS = ["bundle", "digest", "generation"];
/** Names beyond these are left out of the metric, and are in the status: each is a column for whoever stores it. */
const MAX_LABEL_NAMES = 64;

/** The last threshold that a leaf passed on its way to its end. */
interface Passed {
  readonly threshold: string;
  readonly fingerprint256: string;
}

/** Certificate times, expiry, and `keyturn_bundle_info`, whose label names are those of every `meta.json` together. */
export class BundleGauges {
  readonly #registry: Registry;
  readonly #generations = new Map<BundleName, Generation>();
  readonly #labels = new Map<BundleName, Labels>();
  readonly #expiring = new Map<BundleName, Passed>();
  #labelNames: ReadonlySet<string> = new Set();

  constructor(registry: Registry) {
    this.#registry = registry;
    this.#addTime(
      "tls_cert_not_after_seconds",
      "Unix time at which the leaf expires.",
      (leaf) => leaf.notAfter,
    );
    this.#addTime(
      "tls_cert_not_before_seconds",
      "Unix time from which the leaf is valid.",
      (leaf) => leaf.notBefore,
    );
    this.#addExpiring();
    this.#addInfo();
  }

  setGeneration(generation: Generation): void {
    this.#generations.set(generation.name, generation);
  }

  /** Whether anything of this bundle is on disk. */
  has(bundle: BundleName): boolean {
    return this.#generations.has(bundle);
  }

  /** Every bundle of which anything is on disk. */
  names(): readonly BundleName[] {
    return [...this.#generations.keys()];
  }

  /** @param threshold The last one that was passed; null for none. */
  setExpiring(bundle: BundleName, { fingerprint256 }: LeafSummary, threshold: string | null): void {
    if (threshold === null) this.#expiring.delete(bundle);
    else this.#expiring.set(bundle, { threshold, fingerprint256 });
  }

  setLabels(bundle: BundleName, labels: Labels): void {
    this.#labels.set(bundle, labels);
    // prom-client fixes label names when a metric is made.
    if (Object.keys(labels).some((name) => !this.#labelNames.has(name))) this.#addInfo();
  }

  forget(bundle: BundleName): void {
    this.#generations.delete(bundle);
    this.#labels.delete(bundle);
    this.#expiring.delete(bundle);
  }

  clear(): void {
    this.#generations.clear();
    this.#labels.clear();
    this.#expiring.clear();
  }

  #addTime(name: string, help: string, timeOf: (leaf: LeafSummary) => string): void {
    const { computed } = instrumentsOf(this.#registry);
    computed(name, help, ["bundle", "subject", "issuer"], (set) => {
      for (const { name: bundle, leaf } of this.#generations.values()) {
        if (leaf === null) continue;
        const [subject, issuer] = [labelValue(leaf.subject), labelValue(leaf.issuer)];
        set({ bundle, subject, issuer }, Date.parse(timeOf(leaf)) / 1000);
      }
    });
  }

  /** At most one series for each bundle: that of the most urgent threshold its current leaf has passed. */
  #addExpiring(): void {
    const help = "Always 1: the threshold that the current leaf passed last on its way to its end.";
    const { computed } = instrumentsOf(this.#registry);
    computed("keyturn_certificate_expiring", help, ["bundle", "threshold"], (set) => {
      for (const [bundle, { threshold, fingerprint256 }] of this.#expiring) {
        const current = this.#generations.get(bundle)?.leaf?.fingerprint256;
        if (current === fingerprint256) set({ bundle, threshold }, 1);
      }
    });
  }

  #addInfo(): void {
    const known = this.#takenLabelNames();
    this.#labelNames = known;
    this.#registry.removeSingleMetric(INFO);
    const help = "Always 1: what is current of a bundle, with the labels of its meta.json.";
    const all = [...INFO_LABELS, ...[...known].sort()];
    instrumentsOf(this.#registry).computed(INFO, help, all, (set) => {
      for (const { name: bundle, digest, id: generation } of this.#generations.values()) {
        const labels = Object.entries(this.#labels.get(bundle) ?? {}).filter(([name]) => known.has(name));
        set({ bundle, digest, generation, ...Object.fromEntries(labels) }, 1);
      }
    });
  }

  /** Those of the bundles that have labels for the longest come first. */
  #takenLabelNames(): Set<string> {
    const names = new Set<string>();
    for (const labels of this.#labels.values()) {
      for (const name of Object.keys(labels)) {
        names.add(name);
        if (names.size === MAX_LABEL_NAMES) return names;
      }
    }
    return names;
  }
}
