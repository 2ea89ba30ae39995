/** What becomes of one hook: proven to be keyturn's, and answered when what it tells of is in place. */
import { readFile } from "node:fs/promises";
import type { IncomingHttpHeaders } from "node:http";
import { Webhook } from "standardwebhooks";
import { z } from "zod";
import { KeyturnError, messageOf } from "../core/errors.ts";
import type { BundleSource } from "./bundle-source.ts";

/** How hooks are proven: by the secret of the daemon's `notify.http.secretFile`, or not at all. */
export type HookProof =
  | { readonly secret: string }
  /** Read at each hook: it may be replaced while the service runs. */
  | { readonly secretFile: string }
  /** For a hook that only this machine can reach. */
  | { readonly unsigned: true };

/** What to answer. */
export interface HookAnswer {
  readonly status: number;
  readonly body: Readonly<Record<string, string>>;
}

const hookSchema = z.object({ data: z.object({ bundle: z.string(), generation: z.string() }) });

/**
 * Takes a hook. Statuses mean to the daemon what DESIGN §6 says of them: 200, the generation is in place; 503, try again;
 * 422, it cannot be used here, go back. Never rejects.
 */
export async function takeHook(
  headers: IncomingHttpHeaders,
  body: string,
  sources: readonly BundleSource[],
  proof: HookProof,
): Promise<HookAnswer> {
  const doubt = await doubtOf(headers, body, proof);
  if (doubt !== null) return doubt;
  const told = readHook(body);
  if (told === undefined) return refuse(400, "HOOK_INVALID", "the body is no hook of keyturn");
  const source = sources.find(({ name }) => name === told.bundle);
  if (source === undefined)
    return refuse(404, "BUNDLE_UNKNOWN", `${told.bundle} is not followed here: look at services[].bundles`);
  try {
    const { bundle, generation } = await source.reload();
    if (generation === told.generation) return { status: 200, body: { bundle, generation } };
    return refuse(503, "GENERATION_UNKNOWN", `${generation} is current here, and not ${told.generation}`);
  } catch (thrown) {
    if (!(thrown instanceof KeyturnError)) return refuse(500, "HOOK_FAILED", messageOf(thrown));
    return refuse(thrown.code === "GENERATION_REFUSED" ? 422 : 503, thrown.code, thrown.message);
  }
}

/** An answer that says no. */
export function refuse(status: number, code: string, message: string): HookAnswer {
  return { status, body: { code, message } };
}

/** Null where it is keyturn's: Standard Webhooks 1.0.0, with five minutes for clocks that differ. */
async function doubtOf(
  headers: IncomingHttpHeaders,
  body: string,
  proof: HookProof,
): Promise<HookAnswer | null> {
  if ("unsigned" in proof) return null;
  let webhook: Webhook;
  try {
    webhook = new Webhook(
      "secret" in proof ? proof.secret : (await readFile(proof.secretFile, "utf8")).trim(),
    );
  } catch {
    // Without the cause: it may hold the secret.
    return refuse(503, "HOOK_SECRET_UNREADABLE", "the secret of hooks cannot be read here");
  }
  try {
    webhook.verify(body, headers as Record<string, string>);
    return null;
  } catch (thrown) {
    return refuse(401, "HOOK_UNSIGNED", `${messageOf(thrown)}: is it the secret of notify.http.secretFile?`);
  }
}

function readHook(body: string): { readonly bundle: string; readonly generation: string } | undefined {
  try {
    return hookSchema.parse(JSON.parse(body)).data;
  } catch {
    return undefined;
  }
}
