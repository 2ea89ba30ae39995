/** A process that opens the store in its first argument, says so, and keeps it. */
import { systemClock } from "../../src/runtime/clock.ts";
import { FileStore } from "../../src/store/file-store.ts";

const owner = { uid: undefined, gid: undefined };
await FileStore.open({ dir: process.argv[2] ?? "", keep: 5, mode: 0o600, owner, clock: systemClock });
process.stdout.write("open\n");
setInterval(() => undefined, 1_000);
