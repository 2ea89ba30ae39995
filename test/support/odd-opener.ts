/** Stands in for the program that opens locked things, and behaves as the request says. */
import { once } from "node:events";
import { text } from "node:stream/consumers";
import type { OpenReply, OpenRequest } from "../../src/preflight/locked/messages.ts";

/** What it may be asked for, in place of a key. */
export type Oddity = "crash" | "fail" | "hang" | "garble" | "flood" | "tell" | "refuse";

const request = JSON.parse(await text(process.stdin)) as OpenRequest;
await behave(request.kind === "key" ? (request.pem as Oddity) : "fail");

async function behave(oddity: Oddity): Promise<void> {
  switch (oddity) {
    case "crash":
      process.kill(process.pid, "SIGSEGV");
      return;
    case "fail":
      process.exit(3);
      return;
    case "hang":
      setInterval(() => undefined, 1_000);
      return;
    case "garble":
      process.stdout.write('{"kind":');
      return;
    case "flood":
      // Writes that pile up are handed on as one, which the kernel may have no buffers for.
      for (;;) if (!process.stdout.write("x".repeat(1 << 16))) await once(process.stdout, "drain");
    case "tell":
      reply(JSON.stringify({ argv: process.argv, execArgv: process.execArgv, env: process.env }));
      return;
    case "refuse":
      // As a process does that has only OpenSSL's default provider.
      if (process.execArgv.includes("--openssl-legacy-provider")) reply("legacy");
      else process.stdout.write(JSON.stringify({ kind: "unsupported" } satisfies OpenReply));
  }
}

function reply(key: string): void {
  const opened: OpenReply = { kind: "opened", keys: [key], certificates: [], crls: [], schemes: [] };
  process.stdout.write(JSON.stringify(opened));
}
