/** Files in the x509-limbo format, of certificates that are made for the test. */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { useFolder } from "./folder.ts";

/** A test case as files have it; what is not given is empty, or as it is in a case that means to succeed. */
export function limboCase(id: string, fields: Readonly<Record<string, unknown>> = {}): object {
  return {
    id,
    conflicts_with: [],
    features: [],
    importance: "undetermined",
    description: `What ${id} shows.\n\nAnd more of it.`,
    validation_kind: "SERVER",
    trusted_certs: ["root"],
    untrusted_intermediates: [],
    peer_certificate: "leaf",
    peer_certificate_key: "key",
    validation_time: null,
    signature_algorithms: [],
    key_usage: [],
    extended_key_usage: ["serverAuth"],
    expected_result: "SUCCESS",
    expected_peer_name: { kind: "DNS", value: "example.com" },
    expected_peer_names: [],
    max_chain_depth: null,
    ...fields,
  };
}

/** Writes the cases to a file, which is removed when the test is over. */
export async function useLimboFile(t: TestContext, testcases: readonly object[]): Promise<string> {
  return useLimboText(t, JSON.stringify({ version: 1, testcases }, null, 2));
}

/** Writes any text to such a file. */
export async function useLimboText(t: TestContext, text: string): Promise<string> {
  const path = join(await useFolder(t), "limbo.json");
  await writeFile(path, text);
  return path;
}
