/** A webhook secret in a file, as `notify.http.secretFile` wants it. */
import { randomBytes } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";

/** Writes a new secret into the folder. */
export async function writeSecret(folder: string): Promise<{ secret: string; secretFile: string }> {
  const secret = `whsec_${randomBytes(32).toString("base64")}`;
  const secretFile = join(folder, "webhook-secret");
  await writeFile(secretFile, `${secret}\n`, { mode: 0o600 });
  return { secret, secretFile };
}
