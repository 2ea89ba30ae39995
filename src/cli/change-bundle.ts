/** `keyturn rollback` and `keyturn retry`: asks the daemon, waits until the reload has ended, says what it came to. */
import type { ChangeAnswer } from "../admin/change.ts";
import type { BundleName } from "../core/names.ts";
import { askDaemon, explainRefusal } from "./admin-client.ts";
import { parseBundleName, parseGeneration } from "./bundle-name.ts";
import { type ConfigOptions, loadCommandConfig } from "./config-file.ts";
import { print, printJson } from "./print.ts";
import { plain } from "./table.ts";

/** Services may take their time, and several stages of them more. What was begun goes on after that too. */
const TIMEOUT_MS = 600_000;

type Options = ConfigOptions & { readonly json?: boolean };

/** Goes back to an earlier generation. Exit code 0 where it is current again, else 1. */
export async function rollBack(
  text: string,
  { to, ...options }: Options & { readonly to?: string | undefined },
): Promise<number> {
  const name = parseBundleName(text);
  const body = to === undefined ? {} : { to: parseGeneration(to, name) };
  return change(name, "rollback", body, options);
}

/** Tries again what etcd holds of a bundle. Exit code 0 where it is live, else 1. */
export async function retry(text: string, options: Options): Promise<number> {
  return change(parseBundleName(text), "retry", {}, options);
}

async function change(name: BundleName, what: string, body: object, options: Options): Promise<number> {
  const { admin } = await loadCommandConfig(options);
  const path = `/-/bundles/${name}/${what}`;
  const reply = await askDaemon(admin, { method: "POST", path, body, timeoutMs: TIMEOUT_MS });
  if (reply.kind === "refused") {
    await explainRefusal(reply, admin, { json: options.json, name });
    return 1;
  }
  const answer = reply.body as ChangeAnswer;
  if (options.json) printJson(answer);
  else print(describeChange(answer));
  return answer.done ? 0 : 1;
}

/** The answer for a person: what is so now, then why and what is left. */
export function describeChange(answer: ChangeAnswer): string {
  const { bundle, message, unfinished, problems } = answer;
  const details = [
    ...(message === null ? [] : [message]),
    ...(unfinished === null ? [] : [`not told yet: ${unfinished}`]),
    ...problems.map((problem) => `${problem.code}: ${problem.message}`),
  ];
  const head = `${bundle}: ${headOf(answer)}`;
  return [plain(head), ...details.map((detail) => `  ${plain(detail)}`)].join("\n");
}

function headOf({ bundle, done, outcome, generation, from }: ChangeAnswer): string {
  if (outcome === "rolledBack") {
    const hint = `put other content, or try it again: keyturn retry ${bundle}`;
    return `${generation} is current again, ${from} is in quarantine; ${hint}`;
  }
  if (done) return `${generation} is live`;
  return generation === null ? `not done: ${outcome}` : `not done: ${outcome}, ${generation} is current`;
}
