/** What `run --dev` puts beside the daemon: an etcd of its own, a folder that goes away, and a bundle to begin with. */
import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createAuthority } from "../dev/authority.ts";
import { startEtcd } from "../dev/etcd.ts";
import { printError } from "./print.ts";

/** A stack for trying keyturn out. */
export interface DevStack {
  /** Settings for the daemon. */
  readonly flags: Readonly<Record<string, string>>;
  /** Prints what to do next. */
  announce(adminUrl: string): void;
  stop(): Promise<void>;
}

/** Starts it. @throws KeyturnError PROGRAM_MISSING, PROGRAM_FAILED. */
export async function startDevStack(): Promise<DevStack> {
  const dir = await mkdtemp(join(tmpdir(), "keyturn-dev-"));
  const remove = () => rm(dir, { recursive: true, force: true });
  const etcd = await startEtcd().catch(async (thrown: unknown) => {
    await remove();
    throw thrown;
  });
  const sample = join(dir, "demo.pem");
  const authority = await createAuthority("keyturn dev CA");
  const leaf = await authority.issue(["demo.local", "127.0.0.1"]);
  await writeFile(sample, leaf.certificatePem + leaf.privateKeyPem + authority.certificatePem, {
    mode: 0o600,
  });
  await chmod(sample, 0o600);
  const outputDir = join(dir, "output");
  return {
    flags: { "--etcd-endpoints": etcd.endpoint, "--output-dir": outputDir, "--admin-listen": "127.0.0.1:0" },
    announce: (adminUrl) => {
      printError(`
keyturn runs against an etcd of its own; everything goes away with Ctrl-C.

  put a bundle     ${etcd.etcdctl} --endpoints=${etcd.endpoint} put /certs/demo.pem < ${sample}
  see it on disk   ls -l ${join(outputDir, "demo")}
  see the status   curl ${adminUrl}/status
`);
    },
    stop: async () => {
      await etcd.stop();
      await remove();
    },
  };
}
