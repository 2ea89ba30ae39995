/** The package as a user gets it: packed, put into a fresh folder, and used as README.md says. */
import assert from "node:assert/strict";
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { cp, mkdir, readdir, readFile, symlink, writeFile } from "node:fs/promises";
import { connect } from "node:http2";
import { dirname, join } from "node:path";
import { after, before, describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { Webhook } from "standardwebhooks";
import { createProgram } from "../src/cli/commands.ts";
import { manPage } from "../src/cli/man-page.ts";
import { freePorts } from "../src/dev/etcd.ts";
import { useFolder } from "./support/folder.ts";
import { shakeHands } from "./support/handshakes.ts";
import { codeOf } from "./support/markdown.ts";
import type { Scope } from "./support/scope.ts";
import { useTurningBundle } from "./support/turning-bundle.ts";
import { until } from "./support/wait.ts";
import { writeSecret } from "./support/webhook-secret.ts";

const run = promisify(execFile);
const ROOT = fileURLToPath(new URL("..", import.meta.url));
const TSC = join(ROOT, "node_modules/.bin/tsc");

/** Packs what is in the checkout; built beside it, for other tests use dist/. */
async function pack(folder: string): Promise<string> {
  await mkdir(folder);
  const tsc = run(TSC, ["--project", "tsconfig.build.json", "--outDir", join(folder, "dist")], { cwd: ROOT });
  const copies = ["package.json", "README.md", "LICENSE", "deploy", "examples", "keyturn.schema.json"].map(
    (name) => cp(join(ROOT, name), join(folder, name), { recursive: true }),
  );
  await Promise.all([tsc, ...copies]);
  await writeFile(
    join(folder, "dist", "keyturn.1"),
    manPage(
      createProgram(() => undefined),
      "0",
    ),
  );
  const { stdout } = await run("npm", ["pack", "--ignore-scripts", "--loglevel=error"], { cwd: folder });
  return join(folder, stdout.trim());
}

/**
 * Puts the tarball into a fresh folder, with those packages beside it that it says it depends on, and what is needed to
 * compile. They are linked from the checkout: a registry would make the test depend on more than the package.
 */
async function install(tarball: string, folder: string): Promise<void> {
  const own = join(folder, "node_modules/keyturn");
  await mkdir(own, { recursive: true });
  await run("tar", ["-xzf", tarball, "-C", own, "--strip-components=1"]);
  const { dependencies } = JSON.parse(await readFile(join(own, "package.json"), "utf8")) as {
    readonly dependencies: Readonly<Record<string, string>>;
  };
  for (const name of [...Object.keys(dependencies), "@types/node"]) {
    const link = join(folder, "node_modules", name);
    await mkdir(dirname(link), { recursive: true });
    await symlink(join(ROOT, "node_modules", name), link);
  }
  await writeFile(join(folder, "package.json"), JSON.stringify({ type: "module", private: true }));
}

describe("the package", () => {
  const ends: (() => void | Promise<void>)[] = [];
  const scope: Scope = { after: (end) => void ends.unshift(end) };
  let folder = "";
  before(async () => {
    const home = await useFolder(scope);
    folder = join(home, "user");
    await install(await pack(join(home, "packed")), folder);
  });
  after(async () => {
    for (const end of ends) await end();
  });

  it("holds the library with its types, the command, what runs it, and the examples, and no source or test", async () => {
    const own = join(folder, "node_modules/keyturn");
    assert.deepEqual((await readdir(own)).sort(), [
      "LICENSE",
      "README.md",
      "deploy",
      "dist",
      "examples",
      "keyturn.schema.json",
      "package.json",
    ]);
    const files = await readdir(join(own, "dist"));
    for (const file of [
      "index.js",
      "index.d.ts",
      "daemon-library.js",
      "daemon-library.d.ts",
      "cli.js",
      "keyturn.1",
    ])
      assert.ok(files.includes(file), file);
    // As a list: npm links no page that is named by a string alone.
    const { man } = JSON.parse(await readFile(join(own, "package.json"), "utf8"));
    assert.deepEqual(man, ["./dist/keyturn.1"]);
  });

  it("has the server of README.md work: served, told by the hook, turned under a live connection", async (t) => {
    const bundle = await useTurningBundle(t);
    const first = await bundle.turn();
    const { secret, secretFile } = await writeSecret(await useFolder(t));
    const [port = 0, hookPort = 0] = await freePorts(2);
    const [code = ""] = await codeOf("README.md", "js");
    const changes = { "/var/lib/keyturn/inference": bundle.dir, "/etc/keyturn/hook-secret": secretFile };
    const ported = code.replace("8443", String(port)).replace("8000", String(hookPort));
    const own = Object.entries(changes).reduce((so, [from, to]) => so.replace(from, to), ported);
    assert.ok(
      [bundle.dir, secretFile, port, hookPort].every((part) => own.includes(String(part))),
      own,
    );
    await writeFile(join(folder, "server.js"), own);

    const child = spawn(process.execPath, ["server.js"], { cwd: folder, stdio: "inherit" });
    t.after(() => void child.kill("SIGKILL"));
    const target = { port, serverName: "inference.local", ca: bundle.root.pem };
    await until("it serves", async () => {
      assert.equal(child.exitCode, null);
      return shakeHands(target).then(
        (fingerprint) => fingerprint === first.fingerprint256,
        () => false,
      );
    });
    const session = connect(`https://127.0.0.1:${port}`, { servername: "inference.local", ca: target.ca });
    t.after(() => session.destroy());
    await once(session, "connect");

    const second = await bundle.turn();
    const body = JSON.stringify({ data: { bundle: "inference", generation: second.generation.id } });
    const now = new Date();
    const headers = {
      "webhook-id": "msg_1",
      "webhook-timestamp": String(Math.floor(now.getTime() / 1000)),
      "webhook-signature": new Webhook(secret).sign("msg_1", now, body),
    };
    const hooked = await fetch(`http://127.0.0.1:${hookPort}/`, { method: "POST", body, headers });

    assert.equal(hooked.status, 200, await hooked.text());
    assert.equal(await shakeHands(target), second.fingerprint256);
    let answer = "";
    for await (const chunk of session.request({ ":path": "/" })) answer += chunk;
    assert.equal(answer, "ok\n");
  });

  for (const [resolution, module] of [
    ["nodenext", "nodenext"],
    ["bundler", "esnext"],
  ] as const) {
    it(`type-checks all code of README.md and docs/hot-swap.md, with moduleResolution ${resolution}`, async () => {
      const blocks = [...(await codeOf("README.md", "js")), ...(await codeOf("docs/hot-swap.md", "js"))];
      assert.ok(blocks.length > 2);
      const source = `typed-${resolution}`;
      await mkdir(join(folder, source));
      await Promise.all(blocks.map((code, at) => writeFile(join(folder, source, `block-${at}.ts`), code)));
      const compilerOptions = { strict: true, module, moduleResolution: resolution, target: "es2022" };
      const config = { compilerOptions: { ...compilerOptions, types: ["node"] }, include: ["*.ts"] };
      await writeFile(join(folder, source, "tsconfig.json"), JSON.stringify(config));

      await run(TSC, ["--noEmit", "--project", source], { cwd: folder }).catch(({ stdout }) =>
        assert.fail(stdout),
      );
    });
  }

  it("loads neither the daemon nor etcd3 with the library", async () => {
    await writeFile(
      join(folder, "loaded.js"),
      `import { Session } from "node:inspector";
       const session = new Session();
       session.connect();
       const urls = [];
       session.on("Debugger.scriptParsed", ({ params }) => urls.push(params.url));
       session.post("Debugger.enable");
       await import(process.argv[2]);
       console.log(JSON.stringify(urls));`,
    );
    const load = async (name: string) => {
      const { stdout } = await run(process.execPath, ["loaded.js", name], { cwd: folder });
      return JSON.parse(stdout) as string[];
    };
    const roomsOf = (urls: readonly string[]) =>
      new Set(urls.flatMap((url) => /\/keyturn\/dist\/(.*?)(?:\/|$)/.exec(url)?.[1] ?? []));
    const packagesOf = (urls: readonly string[]) =>
      new Set(urls.flatMap((url) => /.*\/node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(url)?.[1] ?? []));

    const urls = await load("keyturn");
    assert.deepEqual([...roomsOf(urls)].sort(), ["core", "hot-swap", "index.js", "runtime"]);
    const daemon = await load("keyturn/daemon");
    // The look sees what is loaded: all of it, by the daemon.
    for (const name of ["etcd3", "@grpc/grpc-js", "@peculiar/x509", "pino", "p-queue"]) {
      assert.ok(packagesOf(daemon).has(name), name);
      assert.ok(!packagesOf(urls).has(name), name);
    }
  });
});
