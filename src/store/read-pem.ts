/** The files of a generation as PEM, for whoever presents it or trusts it. */
import { join } from "node:path";
import { KeyturnError } from "../core/errors.ts";
import type { IdentityPem, TrustPem } from "../core/handshake.ts";
import { Secret } from "../core/secret.ts";
import { readWhole } from "./inspect.ts";
import type { BundleFolder, FileName } from "./layout.ts";
import type { Manifest } from "./manifest.ts";
import { splitPem } from "./plain-content.ts";

/** What a generation holds. */
export interface GenerationPem {
  /** Null for a trust bundle. */
  readonly identity: IdentityPem | null;
  readonly trust: TrustPem;
}

/**
 * Reads the files of a generation.
 *
 * @throws KeyturnError STORE_FAILED where one of them is not what was written.
 */
export function readGeneration(at: BundleFolder, { generation, files }: Manifest): GenerationPem {
  const folder = at.generation(generation.id);
  const read = (name: FileName): string | undefined => {
    const facts = files[name];
    if (facts === undefined) return undefined;
    const content = readWhole(join(folder, name), facts);
    if (content !== undefined) return content.toString("utf8");
    const message = `${join(folder, name)} is gone or is not what was written; the next audit puts it right`;
    throw new KeyturnError("STORE_FAILED", message);
  };
  const [chain, key] = [read("tls.crt"), read("tls.key")];
  const identity = chain === undefined || key === undefined ? null : { chain, key: new Secret(key) };
  return { identity, trust: { anchors: read("ca.crt") ?? "", crls: splitPem(read("ca.crl") ?? "") } };
}
