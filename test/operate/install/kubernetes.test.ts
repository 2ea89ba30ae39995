/** The manifests of deploy/kubernetes: right by Kubernetes' schemas, closed, and fitting to keyturn's own configuration. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { cp, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, it } from "node:test";
import { promisify } from "node:util";
import { z } from "zod";
import { loadConfig } from "../../../src/config/load.ts";
import { useFolder } from "../../support/folder.ts";
import {
  FOLDERS,
  faultsOf,
  podOf,
  readKustomization,
  readYaml,
  strangersIn,
} from "../../support/kubernetes.ts";
import { codeUnder } from "../../support/markdown.ts";
import { findTool } from "../../support/tools.ts";

const run = promisify(execFile);
const named = z.object({ name: z.string() });
const patchSchema = z.object({
  metadata: named,
  spec: z.object({ template: z.object({ spec: z.object({ containers: z.array(named) }) }) }),
});
const FOR_KEYTURN = ["base", "sidecar"] as const;

/** keyturn's container, with the configuration that it finds. */
async function readKeyturn(name: (typeof FOR_KEYTURN)[number]) {
  const kustomization = await readKustomization(name);
  const pod = podOf(kustomization);
  const container = [...pod.initContainers, ...pod.containers].find((one) => one.name === "keyturn");
  assert.ok(container);
  const env = Object.fromEntries(
    container.env.map(({ name: variable, value }) => [variable, value ?? "a-node"]),
  );
  const config = await loadConfig({ file: join(kustomization.folder, "keyturn.yaml"), env, flags: {} });
  return { kustomization, pod, container, config };
}

describe("the manifests for Kubernetes", () => {
  for (const name of FOLDERS) {
    it(`of ${name} are right by the schemas, with no field that those do not have`, async (t) => {
      const { own } = await readKustomization(name);
      assert.ok(own.length > 0);
      for (const resource of own) assert.equal(faultsOf(resource), undefined, resource.kind);
      assert.equal(await strangersIn(t, own), "");
    });
  }

  it("would not be right with a wrong type, and not with a misspelt field", async (t) => {
    const [resource] = (await readKustomization("base")).own.filter(({ kind }) => kind === "DaemonSet");
    assert.ok(resource);
    const text = JSON.stringify(resource);
    assert.match(
      faultsOf(JSON.parse(text.replace('"periodSeconds":10', '"periodSeconds":"10s"'))) ?? "",
      /periodSeconds/,
    );
    const misspelt = JSON.parse(text.replace("readOnlyRootFilesystem", "readOnlyRootFileSystem"));
    assert.match(await strangersIn(t, [misspelt]), /readOnlyRootFileSystem/);
  });

  it("patch a workload of the base, in a container that it has", async () => {
    const { patches, folder } = await readKustomization("components/prometheus");
    const base = await readKustomization("base");
    assert.ok(patches.length > 0);
    for (const { path, target } of patches) {
      assert.ok(base.own.some(({ kind, metadata }) => kind === target.kind && metadata.name === target.name));
      const { metadata, spec } = patchSchema.parse(await readYaml(join(folder, path)));
      assert.equal(metadata.name, target.name);
      const names = podOf(base).containers.map(({ name }) => name);
      for (const { name } of spec.template.spec.containers) assert.ok(names.includes(name), name);
    }
  });

  it("give a right to the secret that is mounted, whose name Kustomize leaves alone", async () => {
    const { own, configMapGenerator } = await readKustomization("base");
    const rules = z.array(z.object({ resourceNames: z.array(z.string()) }));
    const [rule] = rules.parse(own.find(({ kind }) => kind === "Role")?.rules);
    const secrets = podOf(await readKustomization("base")).volumes.flatMap(({ secret }) => secret ?? []);
    assert.deepEqual(
      rule?.resourceNames,
      secrets.map(({ secretName }) => secretName),
    );
    // It renames whatever has the name of a generated map, in a role too.
    for (const { name } of configMapGenerator) assert.ok(!rule?.resourceNames.includes(name), name);
  });

  it("are built by kubectl", async (t) => {
    const kubectl = findTool("kubectl");
    if (kubectl === undefined) return t.skip("there is no kubectl");
    for (const name of FOR_KEYTURN) {
      const { folder, own } = await readKustomization(name);
      const built: { readonly stdout: string } = await run(kubectl, ["kustomize", folder]);
      assert.equal([...built.stdout.matchAll(/^kind: /gm)].length, own.length + 1);
    }
  });

  it("go into an overlay like that of docs/install.md", async (t) => {
    const kubectl = findTool("kubectl");
    if (kubectl === undefined) return t.skip("there is no kubectl");
    const folder = await useFolder(t);
    const [overlay = ""] = await codeUnder("docs/install.md", "On Kubernetes", "yaml");
    await cp("deploy", join(folder, "keyturn/deploy"), { recursive: true });
    await writeFile(join(folder, "kustomization.yaml"), overlay);
    await writeFile(join(folder, "keyturn.yaml"), "node: of-the-overlay\n");
    const built: { readonly stdout: string } = await run(kubectl, ["kustomize", folder]);
    for (const part of [
      /image: registry\.internal\/keyturn:/,
      /node: of-the-overlay/,
      /KEYTURN_ADMIN_LISTEN/,
      /PodMonitor/,
    ])
      assert.match(built.stdout, part);
    assert.doesNotMatch(built.stdout, /etcd\.internal/);
  });

  for (const name of FOR_KEYTURN) {
    describe(name, () => {
      it("runs as a user that is not root, without capabilities, on a read-only root, with no token of the API", async () => {
        const { pod } = await readKeyturn(name);
        const { securityContext: all } = pod;
        assert.deepEqual(
          [pod.automountServiceAccountToken, all.runAsNonRoot, all.seccompProfile.type],
          [false, true, "RuntimeDefault"],
        );
        for (const { name: who, securityContext: own } of [...pod.initContainers, ...pod.containers]) {
          const { allowPrivilegeEscalation, readOnlyRootFilesystem, capabilities } = own;
          assert.deepEqual([allowPrivilegeEscalation, readOnlyRootFilesystem], [false, true], who);
          assert.deepEqual(capabilities.drop, ["ALL"], who);
          // The one that gives the host's folder away has to be root, and ends before keyturn begins.
          const isFolder = who === "folder";
          assert.deepEqual(capabilities.add, isFolder ? ["CHOWN", "FOWNER"] : [], who);
          assert.notEqual((own.runAsUser ?? all.runAsUser) === 0, !isFolder, who);
        }
      });

      it("mounts what it declares, and its configuration finds its files there", async () => {
        const { kustomization, pod, container, config } = await readKeyturn(name);
        const declared = pod.volumes.map((volume) => volume.name).sort();
        const used = [...pod.initContainers, ...pod.containers].flatMap(({ volumeMounts }) => volumeMounts);
        assert.deepEqual([...new Set(used.map((mount) => mount.name))].sort(), declared);
        assert.deepEqual(
          pod.volumes.flatMap(({ configMap }) => configMap?.name ?? []),
          kustomization.configMapGenerator.map((generated) => generated.name),
        );
        const files = [...Object.values(config.etcd.tls ?? {}), config.admin.tokenFile].filter(
          (file) => file,
        );
        for (const file of files) {
          assert.ok(
            container.volumeMounts.some(({ mountPath }) => file?.startsWith(`${mountPath}/`)),
            file,
          );
        }
        const output = container.volumeMounts.find(({ mountPath }) => mountPath === config.output.dir);
        assert.equal(output?.readOnly, false);
        assert.deepEqual(container.args, ["run", "--config", "/etc/keyturn/keyturn.yaml"]);
        assert.ok(container.volumeMounts.some(({ mountPath }) => mountPath === "/etc/keyturn"));
      });

      it("is asked for its health where it listens", async () => {
        const { pod, container, config } = await readKeyturn(name);
        const { host, port } = config.admin.listen;
        const probes = [container.livenessProbe, container.readinessProbe].flatMap(
          (probe) => probe?.httpGet ?? [],
        );
        assert.equal(container.livenessProbe?.httpGet?.path, "/healthz");
        for (const probe of probes) {
          const own = container.ports.find((one) => one.name === probe.port)?.containerPort ?? probe.port;
          assert.equal(own, port);
          // On the host's network the loopback is the kubelet's own; elsewhere it asks the pod's address.
          assert.deepEqual(
            [probe.host, host],
            pod.hostNetwork ? ["127.0.0.1", "127.0.0.1"] : [undefined, "0.0.0.0"],
          );
        }
      });

      it("has the version of the package", async () => {
        const { version } = JSON.parse(await readFile("package.json", "utf8")) as {
          readonly version: string;
        };
        for (const { newTag } of (await readKeyturn(name)).kustomization.images)
          assert.equal(newTag, version);
      });
    });
  }
});
