/** How it stands with the warnings of each bundle: what the medium says, and what this process did since. */
import type { DaemonEvent } from "../core/events.ts";
import type { Generation } from "../core/generation.ts";
import type { BundleName } from "../core/names.ts";
import { type ExpirySettings, judgeExpiry, thresholdsOf } from "./thresholds.ts";

/** A warning, as the log, the metrics and `renewal.http` get it. `remainingMs` is negative once it has expired. */
export type ExpiryWarning = Extract<DaemonEvent, { readonly type: "certificate.expiring" }>;

/** What this process did about one certificate. */
export interface Memory {
  /** In a new generation the same leaf is not warned of again. */
  readonly fingerprint256: string;
  readonly reported: Set<string>;
  readonly told: Set<string>;
  /** The threshold that metrics and status show; null for none. */
  shown: string | null;
  /** Whether telling or recording is under way. */
  busy: boolean;
}

/** How it stands with a bundle now. */
export interface Standing {
  readonly memory: Memory;
  readonly remainingMs: number;
  /** What is to be told. */
  readonly warning: ExpiryWarning | undefined;
  /** Labels that count as told once the warning was, the most urgent first. */
  readonly passed: readonly string[];
  /** Labels that were told. */
  readonly told: readonly string[];
  /** Whether the medium says so. */
  readonly isRecorded: boolean;
}

/** Labels that were told of a bundle's current generation, as the medium has them. */
export type Warned = (name: BundleName) => readonly string[];

/** Remembers a memory for each bundle. */
export class Standings {
  readonly #settings: ExpirySettings;
  readonly #warned: Warned;
  readonly #memories = new Map<BundleName, Memory>();

  constructor(settings: ExpirySettings, warned: Warned) {
    this.#settings = settings;
    this.#warned = warned;
  }

  /** Undefined where the bundle has no leaf. */
  of({ name, id, leaf }: Generation, now: Date): Standing | undefined {
    if (leaf === null) return undefined;
    const memory = this.#memoryOf(name, leaf.fingerprint256);
    const recorded = this.#warned(name);
    const thresholds = thresholdsOf(leaf, this.#settings);
    const remainingMs = Date.parse(leaf.notAfter) - now.getTime();
    const verdict = judgeExpiry(thresholds, remainingMs, [...recorded, ...memory.told]);
    const { due, passed, told, takenBack } = verdict;
    for (const label of takenBack) {
      memory.told.delete(label);
      memory.reported.delete(label);
    }
    const isRecorded = told.length === recorded.length && told.every((label) => recorded.includes(label));
    const warning = due && {
      type: "certificate.expiring" as const,
      bundle: name,
      generation: id,
      leaf,
      threshold: due.label,
      remainingMs,
    };
    return { memory, remainingMs, warning, passed, told, isRecorded };
  }

  /** Forgets every other bundle. */
  keepOnly(names: ReadonlySet<BundleName>): void {
    for (const name of this.#memories.keys()) if (!names.has(name)) this.#memories.delete(name);
  }

  #memoryOf(name: BundleName, fingerprint256: string): Memory {
    const known = this.#memories.get(name);
    if (known?.fingerprint256 === fingerprint256) return known;
    const sets = { reported: new Set<string>(), told: new Set<string>() };
    const memory = { fingerprint256, ...sets, shown: null, busy: false };
    this.#memories.set(name, memory);
    return memory;
  }
}
