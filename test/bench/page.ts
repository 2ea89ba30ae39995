/** The page that is printed, and that `--write` keeps in BENCHMARKS.md. Pure. */
import type { Contender } from "./contender.ts";
import type { Fleet } from "./fleet.ts";
import { legend } from "./markdown.ts";
import type { Plan } from "./plan.ts";
import { fleetTable, rotationTable, stepTable } from "./report.ts";
import type { Rotations } from "./rotations.ts";

/** What the page is made of. */
export interface Measured {
  readonly plan: Plan;
  readonly contenders: readonly Contender[];
  readonly rotations: readonly Rotations[];
  readonly fleet: Fleet;
  readonly machine: string;
  /** YYYY-MM-DD. */
  readonly date: string;
}

/** The page, in Markdown. */
export function pageOf({ plan, contenders, rotations, fleet, machine, date }: Measured): string {
  const { warmUp, block, pauseMs } = plan;
  return `## What the daemon costs

Measured on ${date} by \`npm run bench -- --write\`, in one run, against one etcd, all traffic on 127.0.0.1:

${machine}

Absolute times are this machine's, and to a good part those of its disk, which etcd alone waits for at each put.
Compare rows, not machines. The contenders take turns in rounds of ${block} so that noise hits all alike; how far
the median moved between rounds shows how much there was. \`--pause=0\` puts again at once instead of after ${pauseMs} ms:
then a rotation also waits for what keyturn does after the hook of the one before. \`--quick\` is for CI.

### From put to hook, and to verified

${plan.rotations} rotations each after ${warmUp} that do not count, one at a time, each with a fresh bundle (leaf for servers and
clients, intermediate, key and root, all on P-256). From just before the put to the arrival of the hook; the receiver
then looks whether the new leaf is on disk already, and for those that verify whether a new TLS session gets it, and it
is a fault where it is not.

${rotationTable(rotations)}

${legend(contenders.map(described))}

What a user would use instead of keyturn looks at nothing: confd and \`etcdctl watch\` have no row to compare "keyturn,
verified" with. The service behind it, and behind "floor, verified", is an HTTPS server in Node in a process of its own
that reads its file and swaps when it is told. The last ratio is to the floor that looks.

Which Node it is counts: Node 20 has OpenSSL 3.0, which takes one to two milliseconds longer to read a bundle and to
shake hands, so that keyturn's ratio to the floor is higher there by about 0.6.

Where keyturn's time goes, by its own log:

${stepTable(rotations)}

### Many bundles

One keyturn in its default configuration, one hook for each bundle. Memory and CPU are of all its processes together.

${fleetTable(fleet)}
`;
}

function described({ label, what, missing }: Contender): { readonly label: string; readonly what: string } {
  return { label, what: missing === undefined ? what : `not measured, ${missing}` };
}
