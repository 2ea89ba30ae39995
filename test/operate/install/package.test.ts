/** The package as docs/install.md says: packed, installed anew with what it depends on, and used by an ordinary user. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { chmod, cp, mkdir, readdir, readFile, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { freePorts } from "../../../src/dev/etcd.ts";
import { useEtcd } from "../../support/etcd.ts";
import { useFolder } from "../../support/folder.ts";
import { codeUnder, readPage } from "../../support/markdown.ts";
import { becomeNobody } from "../../support/nobody.ts";
import { createAuthority } from "../../support/pki.ts";
import type { Scope } from "../../support/scope.ts";
import { type Shell, useShell } from "../../support/shell.ts";
import { until } from "../../support/wait.ts";

const run = promisify(execFile);
const ROOT = fileURLToPath(new URL("../../..", import.meta.url));
const PAGE = "docs/install.md";
/** What `npm pack` builds the package from; not in the checkout, where other tests use what is built. */
const SOURCES = [
  ...["package.json", "README.md", "LICENSE", "tsconfig.json", "tsconfig.build.json"],
  ...["deploy", "examples", "scripts", "src"],
];

interface Packed {
  readonly size: number;
  readonly unpackedSize: number;
  readonly files: readonly { readonly path: string }[];
}

describe("the installed package", () => {
  const ends: (() => void | Promise<void>)[] = [];
  const scope: Scope = { after: (end) => void ends.unshift(end) };
  let [prefix, clone] = ["", ""];
  /** Where `npm install --global` puts things, and nothing else of npm's settings is changed. */
  const env = () => ({ npm_config_prefix: prefix, PATH: `${prefix}/bin:${process.env.PATH}` });
  before(async () => {
    const folder = await useFolder(scope);
    await chmod(folder, 0o755);
    [prefix, clone] = [join(folder, "prefix"), join(folder, "clone")];
    await mkdir(clone);
    for (const name of SOURCES) await cp(join(ROOT, name), join(clone, name), { recursive: true });
    await symlink(join(ROOT, "node_modules"), join(clone, "node_modules"));
    const [code = ""] = await codeUnder(PAGE, "The package", "sh");

    const said = await useShell(scope, { cwd: clone, env: env() }).run(code);

    const { version } = JSON.parse(await readFile(join(clone, "package.json"), "utf8")) as {
      version: string;
    };
    assert.match(said, new RegExp(`^${version.replaceAll(".", "\\.")}$`, "m"));
    assert.match(said, /^Usage: keyturn .*^ {2}run /ms);
  });
  after(async () => {
    for (const end of ends) await end();
  });

  it("turns a bundle for a user who is not root, in a folder of their own", async (t) => {
    const home = await useFolder(t);
    const [etcd, authority, ports] = await Promise.all([
      useEtcd(t),
      createAuthority("try-out CA"),
      freePorts(1),
    ]);
    const through = becomeNobody(home);
    const settings = {
      HOME: home,
      PATH: `${join(etcd.etcdctl, "..")}:${env().PATH}`,
      ETCDCTL_API: "3",
      ETCDCTL_ENDPOINTS: etcd.endpoint,
      KEYTURN_ETCD_ENDPOINTS: etcd.endpoint,
      KEYTURN_ADMIN_LISTEN: `127.0.0.1:${ports[0]}`,
    };
    const shell = useShell(t, { cwd: home, env: settings, through });
    const [start = "", put = "", look = ""] = await codeUnder(PAGE, "First steps, as an ordinary user", "sh");
    const serials = new Set<string>();

    assert.match(await shell.run("id -u"), through.length > 0 ? /^65534$/m : /^\d+$/m);
    await shell.run(start);
    await until("the daemon answers", () => isAnswered(shell));
    for (let turn = 1; turn <= 2; turn++) {
      const { certificatePem, privateKeyPem } = await authority.issue(["demo.local"]);
      await writeFile(join(home, "bundle.pem"), certificatePem + privateKeyPem + authority.certificatePem);
      assert.match(await shell.run(put), /ok +handshake[\s\S]*^OK$/m);
      const seen = await until(`turn ${turn} is live`, async () => {
        if (!/^demo +live /m.test(await shell.run("keyturn status || true"))) return undefined;
        const said = await shell.run(look);
        const serial = /^serial=(\w+)$/m.exec(said)?.[1] ?? "";
        return serials.has(serial) ? undefined : { said, serial };
      });
      serials.add(seen.serial);
      assert.match(seen.said, /^subject=.*demo\.local$/m);
    }
    assert.equal(serials.size, 2);
    await shell.run("kill %1; wait");
  });

  it("tells a user who is not root what to do about the default folder", async (t) => {
    const home = await useFolder(t);
    const through = becomeNobody(home);
    if (through.length === 0) return t.skip("only root can say for sure that another user may not");
    const shell = useShell(t, { cwd: home, env: { ...env(), KEYTURN_ADMIN_LISTEN: "127.0.0.1:0" }, through });
    const said = await shell.run("keyturn run || true");
    assert.match(said, /there is no configuration file \(keyturn\.yaml or \/etc\/keyturn\/keyturn\.yaml/);
    assert.match(said, /cannot use the output folder \/var\/lib\/keyturn: .*choose another output\.dir/);
  });

  it("holds nothing of the development, and is as large as docs/install.md says", async (t) => {
    const { stdout } = await run("npm", ["pack", "--dry-run", "--json", "--ignore-scripts"], { cwd: clone });
    const [packed] = JSON.parse(stdout) as [Packed];
    const tops = new Set(packed.files.map(({ path }) => path.split("/")[0]));
    assert.deepEqual(
      [...tops].sort(),
      ["LICENSE", "README.md", "deploy", "dist", "examples", "package.json"].sort(),
    );
    assert.deepEqual(
      packed.files.filter(({ path }) => /\.test\.ts|\.map$|(?<!\.d)\.ts$|node_modules|tsconfig/.test(path)),
      [],
    );
    const modules = join(prefix, "lib/node_modules/keyturn/node_modules");
    const { dependencies, devDependencies } = JSON.parse(
      await readFile(join(clone, "package.json"), "utf8"),
    ) as {
      readonly dependencies: Record<string, string>;
      readonly devDependencies: Record<string, string>;
    };
    const installed = await packagesIn(modules);
    for (const name of Object.keys(devDependencies)) {
      if (!(name in dependencies)) assert.ok(!installed.includes(name) || isSharedWithRun(name), name);
    }
    const [, count] = /^(\d+)/.exec((await run("du", ["-sm", prefix])).stdout) ?? [];
    t.diagnostic(
      `package ${kilobytes(packed.size)}, unpacked ${kilobytes(packed.unpackedSize)}, ` +
        `${packed.files.length} files; installed: ${installed.length + 1} packages, ${count} MB`,
    );
    const [, said] = /`deploy\/`, the examples and the\s+licence, (\d+) kB/.exec(await readPage(PAGE)) ?? [];
    assert.ok(
      Math.abs(packed.size / 1_000 - Number(said)) < 100,
      `${packed.size} bytes, and the page says ${said} kB`,
    );
  });

  it("is put under systemd, told to it anew, and taken away, without anything that is left", async (t) => {
    const root = await useFolder(t);
    const own = join(root, "prefix");
    await cp(prefix, own, { recursive: true, verbatimSymlinks: true });
    const bin = join(root, "bin");
    await mkdir(bin);
    for (const name of ["systemctl", "systemd-sysusers"])
      await writeFile(join(bin, name), `#!/bin/sh\necho ${name} "$@"\n`, { mode: 0o755 });
    const paths = { npm_config_prefix: own, PATH: `${bin}:${own}/bin:${process.env.PATH}` };
    const shell = async (code: string | undefined) => {
      assert.ok(code);
      // Blocks of a page need not be run in one session.
      return useShell(t, { cwd: clone, env: paths }).run(code.replaceAll("/etc/", `${root}/etc/`));
    };
    const blocks = async (heading: string) => codeUnder(PAGE, heading, "sh");

    const [install] = await blocks("With systemd");
    const said = await shell(install);
    assert.match(said, /keyturn\.yaml: good\./);
    assert.match(said, /^systemctl enable --now keyturn\nsystemctl status keyturn$/m);
    await shell((await blocks("As which user"))[0]);
    await shell((await blocks("Secrets"))[0]);
    const deploy = join(ROOT, "deploy/systemd");
    for (const [installed, source] of [
      ["systemd/system/keyturn.service", "keyturn.service"],
      ["systemd/system/keyturn.service.d/as-root.conf", "as-root.conf"],
      ["systemd/system/keyturn.service.d/credentials.conf", "credentials.conf"],
      ["sysusers.d/keyturn.conf", "keyturn.sysusers"],
    ] as const) {
      const [found, wanted] = [join(root, "etc", installed), join(deploy, source)].map((path) =>
        readFile(path, "utf8"),
      );
      assert.equal(await found, await wanted);
    }
    const [upgrade, remove] = await blocks("Upgrade, go back, remove");
    assert.match(await shell(upgrade), /^systemctl restart keyturn$/m);
    await shell(remove);
    assert.deepEqual(await readdir(join(root, "etc/systemd/system")), []);
    assert.deepEqual(await readdir(join(root, "etc/sysusers.d")), []);
    assert.deepEqual(await readdir(join(own, "lib/node_modules")), []);
  });
});

async function isAnswered(shell: Shell): Promise<boolean> {
  return /^ *etcd /m.test(await shell.run("keyturn status || true"));
}

/** Names of the packages below a folder of packages, at every depth. */
async function packagesIn(modules: string): Promise<string[]> {
  const paths = await readdir(modules, { recursive: true });
  const manifest = /(?:^|\/node_modules\/)((?:@[^/]+\/)?[^/@.][^/]*)\/package\.json$/;
  return paths.flatMap((path) => manifest.exec(path)?.[1] ?? []);
}

/** Packages of the development that something at run time depends on as well. */
function isSharedWithRun(name: string): boolean {
  return name === "@types/node";
}

function kilobytes(bytes: number): string {
  return `${Math.round(bytes / 1_000)} kB`;
}
