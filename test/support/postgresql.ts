/** A real PostgreSQL for a test, as a user that is not root, and a session of its own client. */

import { execFile, spawn, spawnSync } from "node:child_process";
import { appendFile, chmod, chown, mkdir } from "node:fs/promises";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";
import type { TestContext } from "node:test";
import { promisify } from "node:util";
import type { HandshakeTarget } from "./handshakes.ts";
import { becomeNobody, IS_ROOT, NOBODY } from "./nobody.ts";
import { isOpen, runServer } from "./server-process.ts";
import { needTool } from "./tools.ts";

const run = promisify(execFile);

/** A cluster that is set up, and not started. */
export interface TestPostgres {
  /** What Debian has as /etc/postgresql/15/main: the user of the server owns it, and `conf.d` in it is read. */
  readonly home: string;
  readonly pidFile: string;
  /** The number of the user it runs as. */
  readonly user: string;
  start(): Promise<void>;
}

/** Sets one up in the folder; it ends with the test. */
export async function usePostgres(t: TestContext, folder: string, port: number): Promise<TestPostgres> {
  const home = join(folder, "postgresql");
  const pidFile = join(home, "15-main.pid");
  await mkdir(home, { mode: 0o700 });
  await mkdir(join(home, "conf.d"));
  // The way to its own folder.
  await chmod(folder, 0o711);
  if (IS_ROOT) await chown(join(home, "conf.d"), NOBODY, NOBODY);
  const through = becomeNobody(home);
  const programs = await findPrograms(through, folder);
  const [initdb, postgres] = [join(programs, "initdb"), join(programs, "postgres")];
  const make = ["--no-locale", "--encoding=UTF8", "--auth=trust", "--username=postgres", "--no-sync"];
  const [program = initdb, ...words] = [...through, initdb, "--pgdata", join(home, "data"), ...make];
  // Where it may not be, it would complain of the folder it is in.
  await run(program, words, { cwd: "/" });
  const lines = [
    `listen_addresses = '127.0.0.1'`,
    `port = ${port}`,
    `unix_socket_directories = ''`,
    `external_pid_file = '${pidFile}'`,
    "fsync = off",
    `include_dir = '${join(home, "conf.d")}'`,
  ];
  await appendFile(join(home, "data/postgresql.conf"), `${lines.join("\n")}\n`);
  return {
    home,
    pidFile,
    user: String(IS_ROOT ? NOBODY : process.getuid?.()),
    start: async () => {
      const [first = postgres, ...rest] = [...through, postgres, "-D", join(home, "data")];
      // Not at once: it would leave shared memory behind.
      await runServer(t, first, rest, () => isOpen(port), { endBy: "SIGQUIT" });
    },
  };
}

/** The folder of the programs; that of a copy, where their user cannot come to the one there is. */
async function findPrograms(through: readonly string[], folder: string): Promise<string> {
  const postgres = needTool("postgres");
  const [program = "test", ...words] = [...through, "test", "-x", postgres];
  const isReachable = spawnSync(program, words).status === 0;
  if (isReachable) return dirname(postgres);
  const copy = join(folder, "programs");
  await run("cp", ["-a", dirname(dirname(postgres)), copy]);
  return join(copy, "bin");
}

/** A session that stays open; `ask` gives the number of the server's process that it is with. */
export async function useSession(t: TestContext, target: HandshakeTarget, caFile: string) {
  const psql = needTool("psql");
  const place = `host=${target.serverName} hostaddr=127.0.0.1 port=${target.port} user=postgres dbname=postgres`;
  const words = ["-X", "-A", "-t", `${place} sslmode=verify-full sslrootcert=${caFile}`];
  const child = spawn(psql, words, { stdio: ["pipe", "pipe", "inherit"] });
  t.after(() => child.kill("SIGKILL"));
  const lines = createInterface(child.stdout)[Symbol.asyncIterator]();
  return {
    ask: async (): Promise<string> => {
      child.stdin.write("select pg_backend_pid();\n");
      const line = await lines.next();
      if (line.done) throw new Error("the session has ended");
      return line.value;
    },
  };
}
