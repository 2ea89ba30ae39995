/** Handshakes that a server drops while it opens its port anew: none gets a wrong answer, and the next try gets in. */
import assert from "node:assert/strict";
import type { RotationsSeen } from "./rotations.ts";

/** Connections that were refused, or reset before they were accepted. */
const DROPPED = /ECONNREFUSED|ECONNRESET/;

/** Whether that is all that failed, and little of the whole. */
export function assertOnlyDropped({ failures, handshakes }: RotationsSeen): void {
  assert.deepEqual(
    failures.filter((failure) => !DROPPED.test(failure)),
    [],
  );
  assert.ok(failures.length < handshakes / 5, `${failures.length} failed beside ${handshakes}`);
}
