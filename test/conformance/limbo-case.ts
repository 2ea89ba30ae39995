/** One test case of the x509-limbo format, as far as keyturn has a use for it. */
import { z } from "zod";

/** Files leave out what is empty, or say null. */
function listOf<T extends z.ZodType>(item: T) {
  return z
    .array(item)
    .nullish()
    .transform((list) => list ?? []);
}

const peerName = z.object({ kind: z.string(), value: z.string() });

const limboCase = z.object({
  id: z.string(),
  description: z.string(),
  /** Tags of what not every implementation does. */
  features: listOf(z.string()),
  /** Cases that no implementation can agree with beside this one. */
  conflicts_with: listOf(z.string()),
  /** Which side is judged: a server that a client looks at, or the other way round. */
  validation_kind: z.enum(["SERVER", "CLIENT"]),
  trusted_certs: listOf(z.string()),
  untrusted_intermediates: listOf(z.string()),
  peer_certificate: z.string(),
  peer_certificate_key: z.string().nullish(),
  crls: listOf(z.string()),
  validation_time: z.iso.datetime({ offset: true, local: true }).nullish(),
  signature_algorithms: listOf(z.string()),
  key_usage: listOf(z.string()),
  extended_key_usage: listOf(z.string()),
  expected_result: z.enum(["SUCCESS", "FAILURE"]),
  expected_peer_name: peerName.nullish(),
  expected_peer_names: listOf(peerName),
  max_chain_depth: z.int().nullish(),
});

/** A test case. */
export type LimboCase = z.output<typeof limboCase>;

/** The test case, or what is wrong with it. */
export function readCase(json: unknown): LimboCase | { readonly fault: string } {
  const read = limboCase.safeParse(json);
  if (read.success) return read.data;
  const [issue] = read.error.issues;
  return { fault: `${issue?.path.join(".") || "it"}: ${issue?.message}` };
}
