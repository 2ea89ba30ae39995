/** Everything of this node's bundles that is on disk: the output folder, and files at services' own paths. */
import type { ServiceConfig } from "./config/schema.ts";
import { matchesAny } from "./core/glob.ts";
import type { BundleName } from "./core/names.ts";
import type { Upkeep } from "./reload/ports.ts";
import type { FileStore } from "./store/file-store.ts";
import { auditPlainFiles, lookUpPlainFiles, type PlainFile, writePlainFiles } from "./store/plain-files.ts";
import type { Permissions } from "./store/steps.ts";

/** Files of one service. */
interface ServiceFiles {
  readonly bundles: readonly string[];
  readonly files: readonly PlainFile[];
}

/** Files at services' own paths. */
export interface OwnFiles {
  /** Writes those of one service, as the current generation has them. */
  write(service: string, bundle: BundleName): Promise<void>;
  /** The upkeep of the output folder, with these files. */
  readonly upkeep: Upkeep;
}

/**
 * Looks up who owns which file.
 *
 * @throws KeyturnError CONFIG_INVALID, STORE_UNSAFE.
 */
export async function lookUpOwnFiles(
  services: readonly ServiceConfig[],
  permissions: Permissions,
  store: FileStore,
): Promise<OwnFiles> {
  const byService = new Map<string, ServiceFiles>();
  for (const { name, bundles, files: settings } of services) {
    const files = await lookUpPlainFiles(settings, permissions, `services[${name}].files`);
    if (files.length > 0) byService.set(name, { bundles, files });
  }
  const filesOf = (bundle: BundleName) =>
    [...byService.values()].flatMap(({ bundles, files }) => (matchesAny(bundle, bundles) ? files : []));
  const write = async (files: readonly PlainFile[], bundle: BundleName) => {
    const pem = files.length === 0 ? undefined : await store.read(bundle);
    if (pem !== undefined) await writePlainFiles(files, pem);
  };
  return {
    write: (service, bundle) => write(byService.get(service)?.files ?? [], bundle),
    upkeep: {
      holdFolder: () => store.holdFolder(),
      audit: async (bundle) => {
        const findings = await store.audit(bundle);
        const files = filesOf(bundle);
        // What the output folder lost cannot be compared with: it is put right first.
        if (findings.length > 0 || files.length === 0) return findings;
        const pem = await store.read(bundle);
        return pem === undefined ? findings : auditPlainFiles(files, pem);
      },
      repair: async (bundle, content) => {
        const current = await store.repair(bundle, content);
        await write(filesOf(bundle), bundle);
        return current;
      },
    },
  };
}
