/** The status in one line, for whoever looks at many nodes, or at one for a second. */
import { listSome, visible } from "../core/words.ts";
import type { Status } from "./status.ts";

const MOST_REASONS = 3;

/** Such as `3 of 3 bundles live; etcd connected`. Names nothing but bundles and states. */
export function statusLine({ bundles, etcd, notReady }: Status): string {
  const live = bundles.filter((bundle) => bundle.live).length;
  const parts = [
    `${live} of ${bundles.length} ${bundles.length === 1 ? "bundle" : "bundles"} live`,
    etcd.connected ? "etcd connected" : "etcd away",
    ...(notReady.length === 0 ? [] : [`not ready: ${listSome(notReady, "; ", MOST_REASONS)}`]),
  ];
  return visible(parts.join("; "));
}
