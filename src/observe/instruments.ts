/** Makes metrics of one registry, and knows which series belong to a bundle, so that none is left when it goes. */
import { Counter, Gauge, Histogram, type Registry } from "prom-client";
import type { BundleName } from "../core/names.ts";

const SECONDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];

/** Makes the metrics of a registry. */
export function instrumentsOf(registry: Registry) {
  const registers = [registry];
  return {
    gauge: <L extends string>(name: string, help: string, ...labelNames: L[]) =>
      new Gauge({ name, help, labelNames, registers }),
    counter: <L extends string>(name: string, help: string, ...labelNames: L[]) =>
      new Counter({ name, help, labelNames, registers }),
    seconds: <L extends string>(name: string, help: string, ...labelNames: L[]) =>
      new Histogram({ name, help, labelNames, registers, buckets: SECONDS }),
    /** A gauge that is computed at each scrape: `collect` sets every series there is then. */
    computed: <L extends string>(
      name: string,
      help: string,
      labelNames: L[],
      collect: (set: (labels: Readonly<Partial<Record<L, string>>>, value: number) => void) => void,
    ) =>
      new Gauge({
        name,
        help,
        labelNames,
        registers,
        collect() {
          this.reset();
          collect((labels, value) => this.set(labels, value));
        },
      }),
  };
}

/** A metric with labels, whatever it measures. */
interface Labelled<Series> {
  labels(labels: Readonly<Record<string, string>>): Series;
  remove(labels: Readonly<Record<string, string>>): void;
}

/** The series that have a label `bundle`. */
export class BundleSeries {
  readonly #known = new Map<string, Map<Labelled<unknown>, Set<string>>>();

  /** One series of a metric, known from here on as the bundle's. */
  of<Series>(
    metric: Labelled<Series>,
    labels: { readonly bundle: BundleName; readonly [label: string]: string },
  ): Series {
    const metrics = this.#known.get(labels.bundle) ?? new Map<Labelled<unknown>, Set<string>>();
    this.#known.set(labels.bundle, metrics);
    metrics.set(metric, (metrics.get(metric) ?? new Set()).add(JSON.stringify(labels)));
    return metric.labels(labels);
  }

  /** Removes every series of the bundle. */
  forget(bundle: BundleName): void {
    for (const [metric, all] of this.#known.get(bundle) ?? []) {
      for (const labels of all) metric.remove(JSON.parse(labels));
    }
    this.#known.delete(bundle);
  }
}
