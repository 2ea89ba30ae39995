/** A real etcd that speaks TLS only and asks for client certificates; its health is asked over plain HTTP. */
import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { promisify } from "node:util";
import { findEtcd, freePorts } from "../../src/dev/etcd.ts";
import { useFolder } from "./folder.ts";
import { type Authority, type Credential, createAuthority } from "./pki.ts";
import { until } from "./wait.ts";

/** An etcd with its authority. */
export interface TlsEtcd {
  /** `https://localhost:port`: on Node 26, grpc-js cannot use an IP address. */
  readonly endpoint: string;
  readonly authority: Authority;
  /** Files of a client certificate for `root`, as `etcd.tls` of the configuration. */
  readonly tls: TlsFiles;
  /** Runs etcdctl with that certificate. */
  ctl(...args: readonly string[]): Promise<string>;
}

/** Where a client's certificate is. */
export interface TlsFiles {
  readonly caFile: string;
  readonly certFile: string;
  readonly keyFile: string;
}

const run = promisify(execFile);

/** Starts an etcd that is ended when the test is over; its certificate is for these names. */
export async function useTlsEtcd(
  t: TestContext,
  names: readonly string[] = ["localhost", "127.0.0.1"],
): Promise<TlsEtcd> {
  const [programs, folder, authority] = await Promise.all([
    findEtcd(),
    useFolder(t),
    createAuthority("etcd CA"),
  ]);
  const server = await writeFiles(folder, "server", authority, await authority.issue(names));
  const tls = await writeFiles(folder, "root", authority, await authority.issue(["root", "127.0.0.1"]));
  const [clientPort = 0, peerPort = 0, healthPort = 0] = await freePorts(3);
  const endpoint = `https://localhost:${clientPort}`;
  const health = `http://127.0.0.1:${healthPort}`;
  const peer = `http://127.0.0.1:${peerPort}`;
  const argv = [
    ...["--name", "tls", "--data-dir", join(folder, "data"), "--log-level", "error", "--bcrypt-cost", "4"],
    ...[
      "--listen-client-urls",
      `https://127.0.0.1:${clientPort}`,
      "--advertise-client-urls",
      endpoint,
      "--listen-metrics-urls",
      health,
    ],
    ...[
      "--listen-peer-urls",
      peer,
      "--initial-advertise-peer-urls",
      peer,
      "--initial-cluster",
      `tls=${peer}`,
    ],
    ...["--cert-file", server.certFile, "--key-file", server.keyFile],
    ...["--trusted-ca-file", server.caFile, "--client-cert-auth"],
  ];
  const child = spawn(programs.etcd, argv, { stdio: "ignore" });
  t.after(() => end(child));
  await until("etcd is healthy", async () => {
    if (child.exitCode !== null) throw new Error(`etcd ended with ${child.exitCode}`);
    return fetch(`${health}/health`).then(
      ({ ok }) => ok,
      () => false,
    );
  });
  const access = [
    "--endpoints",
    endpoint,
    "--cacert",
    tls.caFile,
    "--cert",
    tls.certFile,
    "--key",
    tls.keyFile,
  ];
  const env = { ...process.env, ETCDCTL_API: "3" };
  const ctl = async (...args: readonly string[]) =>
    (await run(programs.etcdctl, [...access, ...args], { env })).stdout;
  return { endpoint, authority, tls, ctl };
}

/** Writes a certificate with the authority it is checked against. Files of the same name are replaced. */
export async function writeFiles(
  folder: string,
  name: string,
  authority: Authority,
  { certificatePem, privateKeyPem }: Credential,
): Promise<TlsFiles> {
  const [caFile, certFile, keyFile] = [`${name}-ca.crt`, `${name}.crt`, `${name}.key`].map((file) =>
    join(folder, file),
  );
  if (caFile === undefined || certFile === undefined || keyFile === undefined) throw new Error("three files");
  await Promise.all([
    writeFile(caFile, authority.certificatePem),
    writeFile(certFile, certificatePem),
    writeFile(keyFile, privateKeyPem, { mode: 0o600 }),
  ]);
  return { caFile, certFile, keyFile };
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, "exit");
  child.kill("SIGKILL");
  await gone;
}
