/** The generations that a bundle can go back to, for completion: fast, and silent where there are none. */
import type { BundleHistory } from "../admin/options.ts";
import type { Config } from "../config/schema.ts";
import { type BundleName, bundleName } from "../core/names.ts";
import { sequenceOf } from "../store/layout.ts";
import { askDaemon } from "./admin-client.ts";
import { type ConfigOptions, loadCommandConfig } from "./config-file.ts";
import { print } from "./print.ts";

/** Somebody waits with a finger on the key. */
const TIMEOUT_MS = 500;

/** One a line, oldest first, as the daemon knows them. Exit code 0 in any case. */
export async function printGenerationNames(
  text: string | undefined,
  options: ConfigOptions,
): Promise<number> {
  const name = bundleName(text ?? "");
  if (name === undefined) return 0;
  const ids = await loadCommandConfig(options)
    .then(({ admin }) => earlierOf(name, admin))
    .catch(() => []);
  if (ids.length > 0) print(ids.join("\n"));
  return 0;
}

/** What cannot be the name of a generation is left out: a shell gets them. */
async function earlierOf(name: BundleName, admin: Config["admin"]): Promise<readonly string[]> {
  const path = `/bundles/${name}/history`;
  const reply = await askDaemon(admin, { method: "GET", path, timeoutMs: TIMEOUT_MS });
  if (reply.kind === "refused") return [];
  const { current, generations } = reply.body as BundleHistory;
  return generations.map(({ id }) => id).filter((id) => id !== current && sequenceOf(id) !== undefined);
}
