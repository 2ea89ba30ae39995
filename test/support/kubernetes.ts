/** The Kustomize folders of deploy/kubernetes, read as kubectl does, and judged by the schemas of Kubernetes. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { readdir, readFile, symlink, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { parse, parseAllDocuments } from "yaml";
import { z } from "zod";
import { useFolder } from "./folder.ts";
import type { Scope } from "./scope.ts";

const run = promisify(execFile);
const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const HOME = join(ROOT, "deploy/kubernetes");
const require = createRequire(import.meta.url);

/** What these folders use of Kustomize: a setting that is not here was misspelt, or belongs here. */
const kustomization = z.strictObject({
  apiVersion: z.string(),
  kind: z.enum(["Kustomization", "Component"]),
  namespace: z.string().optional(),
  labels: z
    .array(z.strictObject({ pairs: z.record(z.string(), z.string()), includeSelectors: z.boolean() }))
    .default([]),
  resources: z.array(z.string()),
  components: z.array(z.string()).default([]),
  patches: z
    .array(
      z.strictObject({ path: z.string(), target: z.strictObject({ kind: z.string(), name: z.string() }) }),
    )
    .default([]),
  configMapGenerator: z.array(z.strictObject({ name: z.string(), files: z.array(z.string()) })).default([]),
  images: z.array(z.strictObject({ name: z.string(), newName: z.string(), newTag: z.string() })).default([]),
});

const mounted = z.object({ name: z.string(), mountPath: z.string(), readOnly: z.boolean().default(false) });
const probe = z.object({
  httpGet: z
    .object({ host: z.string().optional(), port: z.union([z.string(), z.int()]), path: z.string() })
    .optional(),
});
const container = z.object({
  name: z.string(),
  image: z.string(),
  args: z.array(z.string()).default([]),
  env: z.array(z.object({ name: z.string(), value: z.string().optional() })).default([]),
  ports: z.array(z.object({ name: z.string(), containerPort: z.int() })).default([]),
  securityContext: z.object({
    allowPrivilegeEscalation: z.boolean(),
    readOnlyRootFilesystem: z.boolean(),
    runAsUser: z.int().optional(),
    capabilities: z.object({ drop: z.array(z.string()), add: z.array(z.string()).default([]) }),
  }),
  livenessProbe: probe.optional(),
  readinessProbe: probe.optional(),
  volumeMounts: z.array(mounted).default([]),
});
const podSpec = z.object({
  hostNetwork: z.boolean().default(false),
  automountServiceAccountToken: z.boolean(),
  securityContext: z.object({
    runAsNonRoot: z.boolean(),
    runAsUser: z.int(),
    seccompProfile: z.object({ type: z.string() }),
  }),
  initContainers: z.array(container).default([]),
  containers: z.array(container),
  volumes: z.array(
    z.object({
      name: z.string(),
      configMap: z.object({ name: z.string() }).optional(),
      secret: z.object({ secretName: z.string() }).optional(),
    }),
  ),
});

/** One resource. */
interface Resource {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string };
  readonly [field: string]: unknown;
}

/** A folder: what it says, and the resources it names. */
interface Kustomization extends z.output<typeof kustomization> {
  readonly folder: string;
  readonly own: readonly Resource[];
}

/** Below deploy/kubernetes. */
export const FOLDERS = ["base", "sidecar", "components/prometheus"] as const;

/** Reads a folder, and checks that everything it names is there and that nothing else is. */
export async function readKustomization(name: (typeof FOLDERS)[number]): Promise<Kustomization> {
  const folder = join(HOME, name);
  const content = kustomization.parse(await readYaml(join(folder, "kustomization.yaml")));
  const generated = content.configMapGenerator.flatMap(({ files }) => files);
  const named = [...content.resources, ...content.patches.map(({ path }) => path), ...generated];
  assert.deepEqual((await readdir(folder)).sort(), ["kustomization.yaml", ...named].sort(), name);
  const texts = content.resources.map((file) => readFile(join(folder, file), "utf8"));
  const own = (await Promise.all(texts)).flatMap(
    // As Kubernetes reads it: 0440 is an octal number.
    (text) => parseAllDocuments(text, { version: "1.1", merge: true }).map((document) => document.toJS()),
  );
  return { ...content, folder, own: own as Resource[] };
}

/** The pod that a workload of the folder makes. */
export function podOf({ own }: Kustomization): z.output<typeof podSpec> {
  const workload = z.object({ spec: z.object({ template: z.object({ spec: podSpec }) }) });
  const found = own.find(({ kind }) => kind === "DaemonSet" || kind === "Deployment");
  return workload.parse(found).spec.template.spec;
}

/** Everything that Kubernetes' schema of its kind has against a resource. */
export function faultsOf(resource: Resource): string | undefined {
  const models = require(moduleOf(resource)) as Record<string, new (data: unknown) => { validate(): void }>;
  const Model = models[resource.kind];
  assert.ok(Model, `there is no ${resource.apiVersion} ${resource.kind}`);
  try {
    new Model(resource).validate();
    return undefined;
  } catch (thrown) {
    return String(thrown);
  }
}

/** Fields that no schema has, as the compiler finds them: the schemas themselves let them pass. */
export async function strangersIn(t: Scope, resources: readonly Resource[]): Promise<string> {
  const folder = await useFolder(t);
  await symlink(join(ROOT, "node_modules"), join(folder, "node_modules"));
  const lines = resources.flatMap((resource, at) => [
    `import type { I${resource.kind} as T${at} } from "${moduleOf(resource)}";`,
    `export const resource${at}: T${at} = ${JSON.stringify(resource)};`,
  ]);
  await writeFile(join(folder, "resources.ts"), lines.join("\n"));
  await writeFile(join(folder, "package.json"), "{}");
  const tsc = join(ROOT, "node_modules/.bin/tsc");
  const options = ["--noEmit", "--strict", "--skipLibCheck", "--types", "", "--moduleResolution", "bundler"];
  return run(tsc, [...options, "--module", "esnext", "resources.ts"], { cwd: folder }).then(
    () => "",
    ({ stdout }: { stdout: string }) => stdout,
  );
}

function moduleOf({ apiVersion }: Resource): string {
  const isForeign = apiVersion.startsWith("monitoring.coreos.com/");
  return `${isForeign ? "@kubernetes-models/prometheus-operator" : "kubernetes-models"}/${apiVersion}`;
}

export async function readYaml(file: string): Promise<unknown> {
  return parse(await readFile(file, "utf8"), { version: "1.1", merge: true });
}
