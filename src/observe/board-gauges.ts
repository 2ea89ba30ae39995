/** What the status board shows, as metrics: whether the node is ready, and where each bundle is on its way. */
import type { Registry } from "prom-client";
import { instrumentsOf } from "./instruments.ts";
import type { Status } from "./status.ts";

/**
 * Registers `keyturn_ready` and `keyturn_bundle_state{bundle,state}`. The latter has one series for each bundle, which is
 * always 1: another state is another series.
 */
export function showBoard(registry: Registry, status: () => Pick<Status, "ready" | "bundles">): void {
  const { computed } = instrumentsOf(registry);
  computed("keyturn_ready", "Whether the node is ready, as /readyz tells it.", [], (set) => {
    set({}, status().ready ? 1 : 0);
  });
  const help = "Always 1: where the newest content of a bundle is on its way.";
  computed("keyturn_bundle_state", help, ["bundle", "state"], (set) => {
    for (const { name: bundle, state } of status().bundles) set({ bundle, state }, 1);
  });
}
