/** Gauges that say what the current generation of each bundle is, computed at each scrape from what is current then. */
import { Gauge, type Registry } from "prom-client";
import type { LeafSummary } from "../core/bundle.ts";
import type { Generation } from "../core/generation.ts";
import type { Labels } from "../core/meta.ts";
import type { BundleName } from "../core/names.ts";

const INFO = "keyturn_bundle_info";
const INFO_LABELS = ["bundle", "digest", "generation"];

/** Certificate times and `keyturn_bundle_info`, whose label names are those of every `meta.json` together. */
export class BundleGauges {
  readonly #registry: Registry;
  readonly #generations = new Map<BundleName, Generation>();
  readonly #labels = new Map<BundleName, Labels>();
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
    this.#addInfo();
  }

  setGeneration(generation: Generation): void {
    this.#generations.set(generation.name, generation);
  }

  /** Whether anything of this bundle is on disk. */
  has(bundle: BundleName): boolean {
    return this.#generations.has(bundle);
  }

  setLabels(bundle: BundleName, labels: Labels): void {
    this.#labels.set(bundle, labels);
    // prom-client fixes label names when a metric is made.
    if (this.#allLabelNames().join() !== this.#labelNames) this.#addInfo();
  }

  forget(bundle: BundleName): void {
    this.#generations.delete(bundle);
    this.#labels.delete(bundle);
  }

  clear(): void {
    this.#generations.clear();
    this.#labels.clear();
  }

  #addTime(name: string, help: string, timeOf: (leaf: LeafSummary) => string): void {
    const generations = this.#generations;
    new Gauge({
      name,
      help,
      labelNames: ["bundle", "subject", "issuer"],
      registers: [this.#registry],
      collect() {
        this.reset();
        for (const { name: bundle, leaf } of generations.values()) {
          if (leaf === null) continue;
          const { subject, issuer } = leaf;
          this.set({ bundle, subject, issuer }, Date.parse(timeOf(leaf)) / 1000);
        }
      },
    });
  }

  #addInfo(): void {
    const labelNames = this.#allLabelNames();
    this.#labelNames = labelNames.join();
    this.#registry.removeSingleMetric(INFO);
    const [generations, labels] = [this.#generations, this.#labels];
    new Gauge({
      name: INFO,
      help: "Always 1: what is current of a bundle, with the labels of its meta.json.",
      labelNames,
      registers: [this.#registry],
      collect() {
        this.reset();
        for (const { name: bundle, digest, id: generation } of generations.values()) {
          this.set({ bundle, digest, generation, ...labels.get(bundle) }, 1);
        }
      },
    });
  }

  #allLabelNames(): string[] {
    const extra = new Set([...this.#labels.values()].flatMap((labels) => Object.keys(labels)));
    return [...INFO_LABELS, ...[...extra].sort()];
  }
}
