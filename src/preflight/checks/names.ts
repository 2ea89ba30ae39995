/** Whether the leaf covers the names it has to: by its subject alternative names, never by its common name (RFC 9525 §2). */
import { isIP } from "node:net";
import { type AlternativeNames, everyName } from "../../core/alternative-names.ts";
import type { Problem } from "../../core/problem.ts";
import { listSome } from "../../core/words.ts";
import { type CheckInput, nameOf } from "./subject.ts";
import { mayServe } from "./uses.ts";

/** Checks the leaf. */
export function checkNames({ chain, policy }: CheckInput): Problem[] {
  const [leaf] = chain?.path ?? [];
  if (leaf === undefined) return [];
  const { names } = leaf.certificate;
  const problems: Problem[] = [];
  if (everyName(names).length === 0 && mayServe(leaf.certificate)) {
    const message = `${nameOf(leaf)} has no subject alternative name, and clients do not look at its common name; issue it with the names it serves`;
    problems.push({ code: "NAME_MISSING", message });
  }
  const missing = policy.requireNames.filter((name) => !covers(names, name));
  if (missing.length > 0) {
    const message = `${nameOf(leaf)} does not cover ${missing.join(", ")}, which requireNames asks for; it has ${listSome(everyName(names)) || "no names"}: issue it with them`;
    problems.push({ code: "NAME_NOT_COVERED", message });
  }
  return problems;
}

/** Whether a DNS name, IP address or URI is one of the names: a wildcard stands for one left-most label (RFC 9525 §6.3). */
export function covers({ dnsNames, ipAddresses, uris }: AlternativeNames, wanted: string): boolean {
  if (isIP(wanted) !== 0)
    return ipAddresses.some((address) => plainAddress(address) === plainAddress(wanted));
  if (wanted.includes(":")) return uris.includes(wanted);
  const name = plainName(wanted);
  const [, parent] = /^[^.]+\.(.+)$/.exec(name) ?? [];
  return dnsNames
    .map(plainName)
    .some((own) => own === name || (parent !== undefined && own === `*.${parent}`));
}

function plainName(name: string): string {
  return name.toLowerCase().replace(/\.$/, "");
}

/** An IPv6 address has many spellings; a URL knows one. */
function plainAddress(address: string): string {
  return isIP(address) === 6 ? new URL(`http://[${address}]/`).hostname : address;
}
