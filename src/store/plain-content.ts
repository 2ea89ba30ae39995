/** What a service's own files hold, each made from a bundle. Pure. */
import type { TrustPem } from "../core/handshake.ts";
import { readPem, writePem } from "../core/pem.ts";
import type { GenerationPem } from "./read-pem.ts";

/** `chain`: intermediates only; `fullchain`: leaf and intermediates; `combined`: key, leaf and intermediates. */
export type PlainContent = "cert" | "key" | "chain" | "fullchain" | "combined" | "ca" | "crl";

/** Whether a file of this content is secret. */
export function holdsKey(content: PlainContent): boolean {
  return content === "key" || content === "combined";
}

/** The text of a file; null where the bundle has no such thing. */
export function plainTextOf(content: PlainContent, { identity, trust }: GenerationPem): string | null {
  const text = content === "ca" || content === "crl" ? trusted(content, trust) : presented();
  return text === "" ? null : text;

  function presented(): string {
    if (identity === null) return "";
    const { chain, key } = identity;
    if (content === "key") return key.reveal();
    if (content === "combined") return key.reveal() + chain;
    if (content === "fullchain") return chain;
    const [leaf = "", ...intermediates] = splitPem(chain);
    return content === "cert" ? leaf : intermediates.join("");
  }
}

function trusted(content: "ca" | "crl", { anchors, crls }: TrustPem): string {
  return content === "ca" ? anchors : crls.join("");
}

/** Each block of a text that keyturn wrote, by itself. */
export function splitPem(text: string): readonly string[] {
  const read = readPem(Buffer.from(text));
  return read.ok ? read.blocks.map(({ label, der }) => writePem(label, der)) : [];
}
