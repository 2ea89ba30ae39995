/** Which content of each bundle was rolled back and does nothing any more, as far as events tell. */
import type { Digest } from "../core/digest.ts";
import type { DaemonEvent } from "../core/events.ts";
import type { BundleName } from "../core/names.ts";
import type { ReloadOutcome } from "../core/outcome.ts";

/** Content in quarantine: it does nothing until other content is put, or an operator says to try it again. */
export interface Quarantine {
  readonly digest: Digest;
  /** Why it was rolled back. */
  readonly why: string;
}

/**
 * Keeps one quarantine for each bundle: that of the content that was seen or rolled back last. It is lifted when other
 * content is on its way, or when the same is tried again.
 */
export class Quarantines {
  readonly #held = new Map<BundleName, Quarantine>();
  /** What each bundle's last reload is about. */
  readonly #reloading = new Map<BundleName, Digest | null>();

  get(bundle: BundleName): Quarantine | null {
    return this.#held.get(bundle) ?? null;
  }

  names(): readonly BundleName[] {
    return [...this.#held.keys()];
  }

  /** Takes an event in. */
  note(event: DaemonEvent): void {
    switch (event.type) {
      case "bundle.quarantined":
        this.#held.set(event.bundle, { digest: event.digest, why: event.why });
        return;
      case "bundle.accepted":
      case "bundle.unchanged":
        this.#held.delete(event.bundle);
        return;
      case "reload.started":
        this.#reloading.set(event.bundle, event.digest);
        // New content; or an operator wants the same content tried again.
        if (event.reason === "rotated" || event.digest === this.#held.get(event.bundle)?.digest) {
          this.#held.delete(event.bundle);
        }
        return;
      case "rollback.started": {
        const digest = this.#reloading.get(event.bundle) ?? null;
        if (digest !== null) this.#held.set(event.bundle, { digest, why: event.why });
        return;
      }
      case "reload.finished":
        this.#noteOutcome(event.bundle, event.outcome);
        return;
    }
  }

  forget(bundle: BundleName): void {
    this.#held.delete(bundle);
    this.#reloading.delete(bundle);
  }

  clear(): void {
    this.#held.clear();
    this.#reloading.clear();
  }

  #noteOutcome(bundle: BundleName, outcome: ReloadOutcome): void {
    if (outcome.kind === "rolledBack") {
      const { digest, rollback } = outcome.from;
      if (rollback?.quarantined === false) this.#held.delete(bundle);
      else this.#held.set(bundle, { digest, why: rollback?.why ?? outcome.message });
      return;
    }
    // The way back began and did not come as far as the flip.
    const current = "generation" in outcome ? outcome.generation : null;
    if (current !== null && current.digest === this.get(bundle)?.digest) this.#held.delete(bundle);
  }
}
