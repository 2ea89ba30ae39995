/** A real etcd with authentication, where the user `keyturn` may read `/certs/` and nothing else. */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Etcd3, type IOptions } from "etcd3";
import type { EtcdAccess } from "../../src/source/client.ts";
import { rangeOf } from "../../src/source/list.ts";
import { type TestEtcd, useEtcd } from "./etcd.ts";
import { useFolder } from "./folder.ts";
import type { Scope } from "./scope.ts";
import { useWriter, type Writer } from "./writer.ts";

const USER = "keyturn";
const ROLE = "reader";
const ROOT_PASSWORD = "root-password";

/** The password of `keyturn`, until it is changed. */
export const PASSWORD = "reader-password";

/** How its administrator gets in. */
export const AS_ROOT = { auth: { username: "root", password: ROOT_PASSWORD } };

/** An etcd, and what its administrator does. */
export interface GuardedEtcd {
  readonly etcd: TestEtcd;
  /** How `keyturn` gets in. */
  readonly access: EtcdAccess & { readonly passwordFile: string };
  /** Writes as root. */
  readonly writer: Writer;
  changePassword(password: string): Promise<void>;
  /** Takes the right to read away. */
  revoke(): Promise<void>;
  /** Gives it back. */
  grant(): Promise<void>;
}

/** Starts one that is stopped when the test is over. */
export async function useGuardedEtcd(t: Scope, etcdArguments: readonly string[] = []): Promise<GuardedEtcd> {
  const [etcd, folder] = await Promise.all([
    useEtcd(t, ["--bcrypt-cost", "4", ...etcdArguments]),
    useFolder(t),
  ]);
  const passwordFile = join(folder, "password");
  await writeFile(passwordFile, `${PASSWORD}\n`);
  await addUsers(etcd.endpoint);
  // For as long as one call takes: it would have to be opened again after a restart of etcd anyway.
  const asRoot = (act: (client: Etcd3) => Promise<unknown>) => useClient(etcd.endpoint, AS_ROOT, act);
  return {
    etcd,
    access: { endpoints: [etcd.endpoint], username: USER, passwordFile },
    writer: useWriter(t, etcd.endpoint, AS_ROOT),
    changePassword: (password) => asRoot(({ auth }) => auth.userChangePassword({ name: USER, password })),
    revoke: () => asRoot(({ auth }) => auth.userRevokeRole({ name: USER, role: ROLE })),
    grant: () => asRoot(({ auth }) => auth.userGrantRole({ user: USER, role: ROLE })),
  };
}

async function addUsers(endpoint: string): Promise<void> {
  const { key, end } = rangeOf("/certs/");
  await useClient(endpoint, {}, async ({ auth }) => {
    await auth.userAdd({ name: "root", password: ROOT_PASSWORD });
    await auth.roleAdd({ name: "root" });
    await auth.userGrantRole({ user: "root", role: "root" });
    await auth.roleAdd({ name: ROLE });
    await auth.roleGrantPermission({ name: ROLE, perm: { permType: "Read", key, range_end: end } });
    await auth.userAdd({ name: USER, password: PASSWORD });
    await auth.userGrantRole({ user: USER, role: ROLE });
    await auth.authEnable();
  });
}

async function useClient(
  endpoint: string,
  options: IOptions | object,
  act: (client: Etcd3) => Promise<unknown>,
) {
  const client = new Etcd3({ hosts: endpoint, ...options });
  try {
    await act(client);
  } finally {
    client.close();
  }
}
