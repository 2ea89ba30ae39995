/** What a question came to, as those who asked take it: lost children are answers too. */
import type { Look, Sight } from "../core/handshake.ts";
import type { Problem } from "../core/problem.ts";
import type { Unavailable } from "./lane.ts";
import type { Answer } from "./messages.ts";
import type { Reply } from "./worker.ts";

/** The problems of a candidate. A loss is the second one: over this candidate alone. */
export function problemsIn(reply: Reply | Unavailable): readonly Problem[] {
  switch (reply.kind) {
    case "answered":
      return reply.answer.kind === "proven" ? reply.answer.problems : [checkFailed(whyNot(reply.answer))];
    case "crashed":
      return [
        {
          code: "HANDSHAKE_CRASHED",
          message: `the process that makes the TLS handshake ended over this bundle, twice (${reply.why}): a certificate in it breaks the TLS library; have it issued anew with common keys, such as P-256 or RSA 2048`,
        },
      ];
    case "hung":
      return [
        {
          code: "HANDSHAKE_TIMEOUT",
          message: `the TLS handshake with this bundle did not end, twice (${reply.why}); if this node is not overloaded, a certificate in it breaks the TLS library: have it issued anew`,
        },
      ];
    case "unavailable":
      return [checkFailed(`the process for it does not start (${reply.why})`)];
  }
}

/** What a look saw. A loss is the second one: over this service alone. */
export function sightIn(reply: Reply | Unavailable, { host, port }: Look): Sight {
  const failed = (reason: "protocol" | "timeout", message: string): Sight => ({
    kind: "failed",
    reason,
    message: `${host}:${port}: ${message}`,
  });
  switch (reply.kind) {
    case "answered":
      return reply.answer.kind === "seen" ? reply.answer.sight : failed("protocol", whyNot(reply.answer));
    case "crashed":
      return failed("protocol", `what it sends ended the process that looks at it, twice (${reply.why})`);
    case "hung":
      return failed("timeout", `what it sends held up the process that looks at it, twice (${reply.why})`);
    case "unavailable":
      return failed("timeout", `it could not be looked at: the process for it does not start (${reply.why})`);
  }
}

function checkFailed(why: string): Problem {
  return { code: "CHECK_FAILED", message: `the TLS handshake could not be made: ${why}` };
}

function whyNot(answer: Answer): string {
  return answer.kind === "broken" ? answer.message : "the child answered another question";
}
