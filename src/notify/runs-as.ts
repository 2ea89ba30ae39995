/** As whom keyturn runs, for messages about what it may not do. */
import { userInfo } from "node:os";

/** `tls (uid 990)`; the number alone where the user has no name, as in a container. */
export function runsAs(): string {
  const uid = process.geteuid?.() ?? 0;
  try {
    return `${userInfo().username} (uid ${uid})`;
  } catch {
    return `uid ${uid}`;
  }
}
