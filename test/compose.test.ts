/** The compose stack fits together: no Docker engine runs where the tests do, so every reference in it is followed here. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { access, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, it } from "node:test";
import { promisify } from "node:util";
import { validate } from "dockerfile-utils";
import { z } from "zod";
import {
  CONFIG,
  composeSchema,
  isPinned,
  prometheusSchema,
  ROOT,
  readConfig,
  readCopies,
  readInstructions,
  readLastStage,
  readLines,
  readMounts,
  readStack,
  readStages,
  readYaml,
  serviceOf,
} from "./support/compose.ts";
import { useFolder } from "./support/folder.ts";

const run = promisify(execFile);
/** Checks a file against the Compose specification's schema. */
const dclint = (file: string) => run(join(ROOT, "node_modules/.bin/dclint"), ["--quiet", file]);

describe("the compose stack", () => {
  it("is valid by the schema of the Compose specification", async () => {
    await dclint(join(ROOT, "docker-compose.yml"));
  });

  it("would not be valid with a misspelt setting", async (t) => {
    const file = join(await useFolder(t), "docker-compose.yml");
    const text = await readFile(join(ROOT, "docker-compose.yml"), "utf8");
    await writeFile(file, text.replace("stop_grace_period:", "stop_grace_time:"));

    await assert.rejects(dclint(file));
  });

  it("is written in the settings of the Compose specification, with DNS names for its services", async () => {
    const result = composeSchema.safeParse(await readYaml("docker-compose.yml"));
    assert.equal(result.error && z.prettifyError(result.error), undefined);
  });

  it("builds or pins every image", async () => {
    const { services } = await readStack();
    const built = Object.values(services).flatMap(({ build, image }) => (build === undefined ? [] : [image]));
    assert.ok(built.length > 0);
    for (const { image } of Object.values(services))
      assert.ok(built.includes(image) || isPinned(image), image);
  });

  it("builds from a folder of the repository that has a Dockerfile", async () => {
    for (const { build } of Object.values((await readStack()).services)) {
      if (build !== undefined) await access(join(ROOT, build, "Dockerfile"));
    }
  });

  it("mounts files that are in the repository, read-only", async () => {
    const binds = (await readMounts()).filter(({ type }) => type === "bind");
    assert.ok(binds.length > 0);
    for (const { source, read_only, bind } of binds) {
      await access(join(ROOT, source));
      assert.deepEqual([source, read_only, bind?.create_host_path], [source, true, false]);
    }
  });

  it("declares every volume it mounts, and no other", async () => {
    const used = (await readMounts()).flatMap(({ type, source }) => (type === "volume" ? [source] : []));
    assert.deepEqual(Object.keys((await readStack()).volumes).sort(), [...new Set(used)].sort());
  });

  for (const kind of ["networks", "secrets", "configs"] as const) {
    it(`declares its ${kind}, and uses each`, async () => {
      const stack = await readStack();
      const used = Object.values(stack.services).flatMap((one) => one[kind]);
      assert.deepEqual(Object.keys(stack[kind]).sort(), [...new Set(used)].sort());
    });
  }

  it("starts services after others that exist and can become what is waited for", async () => {
    const { services } = await readStack();
    const waits = Object.values(services).flatMap(({ depends_on }) => Object.entries(depends_on));
    assert.ok(waits.length > 0);
    for (const [other, { condition }] of waits) {
      assert.ok(services[other], `there is no service ${other}`);
      assert.ok(
        condition !== "service_healthy" || services[other].healthcheck,
        `${other} has no healthcheck`,
      );
    }
  });

  it("publishes ports on loopback only, each once", async () => {
    const ports = Object.values((await readStack()).services).flatMap((one) => one.ports);
    assert.ok(ports.length > 0);
    for (const port of ports) assert.match(port, /^127\.0\.0\.1:\d+:\d+$/);
    assert.equal(new Set(ports.map((port) => port.split(":")[1])).size, ports.length);
  });

  it("runs every service without capabilities, on a read-only root", async () => {
    for (const [who, { read_only, cap_drop, security_opt }] of Object.entries((await readStack()).services)) {
      assert.deepEqual(
        [who, read_only, cap_drop, security_opt],
        [who, true, ["ALL"], ["no-new-privileges:true"]],
      );
    }
  });
});

describe("keyturn in the compose stack", () => {
  it("has a configuration that loads, mounted where it is looked for", async () => {
    await readConfig();
    const found = (await serviceOf("keyturn")).volumes.find(({ source }) => source === `./${CONFIG}`);
    assert.equal(found?.target, "/etc/keyturn/keyturn.yaml");
  });

  it("asks etcd where it listens", async () => {
    const { endpoints } = (await readConfig()).etcd;
    for (const endpoint of endpoints) {
      const { hostname, port } = new URL(endpoint);
      const { command } = await serviceOf(hostname);
      assert.ok(command.includes(`--listen-client-urls=http://0.0.0.0:${port}`), endpoint);
      assert.ok(command.includes(`--advertise-client-urls=${endpoint}`), endpoint);
    }
  });

  it("writes into a volume", async () => {
    const { output } = await readConfig();
    const found = (await serviceOf("keyturn")).volumes.find(({ target }) => target === output.dir);
    assert.deepEqual([found?.type, found?.read_only], ["volume", false]);
  });

  it("shares its bundles with the services, read-only, under the paths the hook names", async () => {
    const { output, services } = await readConfig();
    const keyturn = await serviceOf("keyturn");
    assert.ok(services.length > 0);
    for (const { name, bundles } of services) {
      const service = await serviceOf(name);
      const sourceOf = ({ volumes }: typeof service) => volumes.find(({ target }) => target === output.dir);
      assert.deepEqual(sourceOf(service), { ...sourceOf(keyturn), read_only: true });
      assert.deepEqual(
        bundles.map((bundle) => `${output.dir}/${bundle}`),
        [service.environment.BUNDLE_DIR],
      );
    }
  });

  it("can have its keys read by the services: the same image, so the same user", async () => {
    const { image } = await serviceOf("keyturn");
    for (const { name } of (await readConfig()).services) assert.equal((await serviceOf(name)).image, image);
  });

  it("sends its hooks to the port where the service listens for them", async () => {
    const urls = (await readConfig()).services.flatMap(({ notify }) => notify.http?.url ?? []);
    assert.ok(urls.length > 0);
    for (const url of urls) {
      const { hostname, port } = new URL(url);
      assert.equal((await serviceOf(hostname)).environment.HOOK_LISTEN, `0.0.0.0:${port}`);
    }
  });

  it("has no hook secret in the repository", async () => {
    const { services } = await readConfig();
    assert.deepEqual(
      services.map(({ notify }) => notify.http?.secretFile),
      services.map(() => undefined),
    );
    for (const { name } of services)
      assert.equal((await serviceOf(name)).environment.HOOK_SECRET_FILE, undefined);
  });

  it("is scraped, checked and published on the port it listens on", async () => {
    const { host, port } = (await readConfig()).admin.listen;
    const { ports, healthcheck } = await serviceOf("keyturn");
    const { scrape_configs } = prometheusSchema.parse(await readYaml("deploy/compose/prometheus.yml"));
    const targets = scrape_configs
      .flatMap(({ static_configs }) => static_configs)
      .flatMap((one) => one.targets);
    assert.equal(host, "0.0.0.0");
    assert.ok(targets.includes(`keyturn:${port}`));
    assert.deepEqual(ports, [`127.0.0.1:${port}:${port}`]);
    assert.match(healthcheck?.test.join(" ") ?? "", new RegExp(`127\\.0\\.0\\.1:${port}/healthz`));
  });

  it("has its services scraped where they take the hook", async () => {
    const { scrape_configs } = prometheusSchema.parse(await readYaml("deploy/compose/prometheus.yml"));
    for (const { name } of (await readConfig()).services) {
      const { environment } = await serviceOf(name);
      const job = scrape_configs.find(({ job_name }) => job_name === name);
      const target = environment.HOOK_LISTEN?.replace("0.0.0.0", name);
      assert.deepEqual(job?.static_configs, [{ targets: [target] }]);
    }
  });

  it("has a client that calls the gRPC service where it listens, with the certificate of its own bundle", async () => {
    const { environment: service } = await serviceOf("grpc");
    const { environment: client } = await serviceOf("grpc-client");
    assert.equal(client.GRPC_TARGET, service.GRPC_LISTEN?.replace("0.0.0.0", "grpc"));
    assert.equal(client.BUNDLE_DIR, service.BUNDLE_DIR);
  });

  it("has an inference service that is checked and published where it serves HTTPS", async () => {
    const { environment, ports, healthcheck } = await serviceOf("inference");
    const port = environment.HTTPS_LISTEN?.replace("0.0.0.0:", "");
    assert.deepEqual(ports, [`127.0.0.1:${port}:${port}`]);
    assert.match(healthcheck?.test.join(" ") ?? "", new RegExp(`port: ${port},`));
  });
});

describe("the image", () => {
  it("is made from a pinned Debian slim image of Node", async () => {
    const image = (await readInstructions())
      .find(({ word }) => word === "ARG")
      ?.rest.replace("NODE_IMAGE=", "");
    assert.match(image ?? "", /^node:\d+\.\d+\.\d+-[a-z]+-slim$/);
    const stages = await readStages();
    for (const { from } of stages) assert.equal(from, `\${NODE_IMAGE}`);
  });

  it("has a Dockerfile that a linter finds no fault with", async () => {
    const text = await readFile(join(ROOT, "Dockerfile"), "utf8");
    assert.deepEqual(validate(text), []);
    assert.equal(validate(text.replace("ENTRYPOINT", "ENTRYPIONT")).length, 1);
  });

  it("copies only what is in the repository, and what .dockerignore lets through", async () => {
    const ignored = (await readLines(".dockerignore")).filter((line) => !line.startsWith("#"));
    const copied = (await readCopies())
      .filter(({ from }) => from === undefined)
      .flatMap(({ sources }) => sources);
    assert.ok(copied.length > 0);
    assert.equal(ignored[0], "*");
    for (const source of copied) {
      await access(join(ROOT, source));
      assert.ok(ignored.includes(`!${source}`), `.dockerignore keeps ${source} out`);
    }
  });

  it("copies from stages that are there, and its packages from one without development packages", async () => {
    const stages = await readStages();
    const copies = (await readCopies()).flatMap(({ from, sources }) => (from ? [{ from, sources }] : []));
    for (const { from } of copies)
      assert.ok(
        stages.some(({ as }) => as === from),
        from,
      );
    const packages = copies.find(({ sources }) => sources.includes("/app/node_modules"))?.from;
    assert.match(stages.find(({ as }) => as === packages)?.text ?? "", /npm install .*--omit=dev/);
  });

  it("never uses npm ci, which refuses the lock file", async () => {
    const runs = (await readInstructions()).filter(({ word }) => word === "RUN");
    for (const { rest } of runs) assert.doesNotMatch(rest, /npm ci/);
  });

  it("ends as a user that is not root", async () => {
    const users = (await readLastStage()).filter(({ word }) => word === "USER");
    assert.match(users.at(-1)?.rest ?? "root", /^[1-9]\d*:[1-9]\d*$/);
  });

  it("starts its program without a shell, so that SIGTERM arrives", async () => {
    const last = await readLastStage();
    const restOf = (wanted: string) => last.filter(({ word }) => word === wanted).map(({ rest }) => rest);
    assert.deepEqual(restOf("STOPSIGNAL"), ["SIGTERM"]);
    assert.deepEqual(restOf("ENTRYPOINT"), ['["keyturn"]']);
    assert.match(restOf("RUN").join("\n"), /ln -s \/app\/dist\/cli\.js \/usr\/local\/bin\/keyturn/);
  });

  it("checks its health with node alone", async () => {
    const check = (await readLastStage()).find(({ word }) => word === "HEALTHCHECK")?.rest ?? "";
    const [, command = "[]"] = /CMD (\[.*\])$/.exec(check) ?? [];
    assert.deepEqual(z.array(z.string()).parse(JSON.parse(command)).slice(0, 2), ["node", "-e"]);
    assert.match(command, /127\.0\.0\.1:9464\/healthz/);
  });

  it("has flock(1), or is not built", async () => {
    assert.ok(
      (await readLastStage()).some(({ word, rest }) => word === "RUN" && rest.includes("flock --version")),
    );
  });

  it("names programs that are there, or are compiled from a source", async () => {
    const entrypoints = Object.values((await readStack()).services).flatMap(({ entrypoint }) => entrypoint);
    const text = [...entrypoints, ...(await readInstructions()).map(({ rest }) => rest)].join(" ");
    const named = [...text.matchAll(/\b(?:dist|examples)\/[\w/-]+\.js\b/g)].map(([program]) => program);
    const programs = [...new Set(named)].sort();
    assert.deepEqual(programs, ["dist/cli.js", "examples/grpc.js", "examples/inference.js"]);
    for (const program of programs)
      await access(join(ROOT, program.replace(/^dist\/(.*)\.js$/, "src/$1.ts")));
  });
});
