/** Notices when the files that a connection was made with are replaced, so that a renewed certificate is used in time. */
import { stat } from "node:fs/promises";
import type { EtcdAccess } from "./client.ts";

/** Changes whenever one of the files does; equal where there is nothing to read. */
export async function credentialsVersion({ tls, passwordFile }: EtcdAccess): Promise<string> {
  const files = [tls?.caFile, tls?.certFile, tls?.keyFile, passwordFile];
  const versions = files.map(async (file) => {
    if (file === undefined) return "";
    try {
      const { ino, mtimeMs, size } = await stat(file);
      return `${ino} ${mtimeMs} ${size}`;
    } catch {
      // In the middle of being replaced, or gone: reading it at the next connection says which.
      return "unreadable";
    }
  });
  return (await Promise.all(versions)).join(", ");
}
