/** Gauges that say what the current generation of each bundle is, computed at each scrape from what is current then. */
import type { Registry } from "prom-client";
import type { LeafSummary } from "../core/bundle.ts";
import type { Generation } from "../core/generation.ts";
import type { Labels } from "../core/meta.ts";
import type { BundleName } from "../core/names.ts";
import { instrumentsOf } from "./instruments.ts";

const INFO = "keyturn_bundle_info";
const INFO_LABELS = ["bundle", "digest", "generation"];

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
  #labelNames = "";

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

  setExpiring(bundle: BundleName, leaf: LeafSummary, threshold: string): void {
    this.#expiring.set(bundle, { threshold, fingerprint256: leaf.fingerprint256 });
  }

  setLabels(bundle: BundleName, labels: Labels): void {
    this.#labels.set(bundle, labels);
    // prom-client fixes label names when a metric is made.
    if (this.#allLabelNames().join() !== this.#labelNames) this.#addInfo();
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
        const { subject, issuer } = leaf;
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
    const labelNames = this.#allLabelNames();
    this.#labelNames = labelNames.join();
    this.#registry.removeSingleMetric(INFO);
    const help = "Always 1: what is current of a bundle, with the labels of its meta.json.";
    instrumentsOf(this.#registry).computed(INFO, help, labelNames, (set) => {
      for (const { name: bundle, digest, id: generation } of this.#generations.values()) {
        set({ bundle, digest, generation, ...this.#labels.get(bundle) }, 1);
      }
    });
  }

  #allLabelNames(): string[] {
    const extra = new Set([...this.#labels.values()].flatMap((labels) => Object.keys(labels)));
    return [...INFO_LABELS, ...[...extra].sort()];
  }
}
