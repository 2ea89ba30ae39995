/** The commands of README.md, docs/bundles.md and docs/compose.md do what these pages say, and print what they show. */
import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, it, type TestContext } from "node:test";
import { useDaemon } from "../../support/daemon.ts";
import { useEtcd } from "../../support/etcd.ts";
import { useExampleService } from "../../support/example.ts";
import { useFolder } from "../../support/folder.ts";
import { codeOf, codeUnder } from "../../support/markdown.ts";
import { type BundleMaker, createBundleMaker } from "../../support/pki.ts";
import { useReaderShell } from "../../support/reader-shell.ts";
import { until } from "../../support/wait.ts";

const BUNDLES = "docs/bundles.md";
const COMPOSE = "docs/compose.md";
/** A certificate begins a minute before it is issued: this one has ended since. */
const EXPIRED_MS = -30_000;
const NAMES = ["inference.local", "*.inference.local", "10.0.0.7"];

/** A node with a service that follows `inference`, and a shell in a folder with files of bundles. */
async function useReader(t: TestContext, places: Readonly<Record<string, string>> = {}) {
  const [etcd, folder, pki] = await Promise.all([useEtcd(t), useFolder(t), createBundleMaker()]);
  const service = await useExampleService(t, "inference", { BUNDLE_DIR: join(folder, "output/inference") });
  const daemon = await useDaemon(t, folder, {
    etcd: { endpoints: [etcd.endpoint] },
    services: [
      {
        name: "engine",
        bundles: ["inference"],
        notify: { http: { url: service.hookUrl } },
        verify: { tls: { address: `127.0.0.1:${service.port}` } },
      },
    ],
  });
  const admin = new URL(daemon.adminUrl).host;
  const shell = await useReaderShell(t, {
    folder,
    env: {
      KEYTURN_ADMIN_LISTEN: admin,
      KEYTURN_ETCD_ENDPOINTS: etcd.endpoint,
      ETCDCTL_ENDPOINTS: etcd.endpoint,
    },
    places: { "127.0.0.1:8443": `127.0.0.1:${service.port}`, "127.0.0.1:9464": admin, ...places },
  });
  await writeBundles(pki, folder);
  const generationOf = async (name: string) => {
    const { bundles } = await daemon.status();
    const found = bundles.find((bundle) => bundle.name === name);
    return found?.live === true ? found.generation?.id : undefined;
  };
  /** Runs a block in which everything has to end well, and waits until the bundle is another generation. */
  const rotates = async (code: string, name = "inference") => {
    const before = await generationOf(name);
    const { said, failed } = await shell(code);
    assert.deepEqual(failed, [], said);
    await until(`${name} has turned by\n${code}`, async () => {
      const now = await generationOf(name);
      return now !== undefined && now !== before;
    });
    return said;
  };
  return { folder, pki, shell, rotates };
}

/** `bundle.pem`, another one in parts, and one that is bad in two ways. */
async function writeBundles(pki: BundleMaker, folder: string): Promise<void> {
  const [one, other] = await Promise.all([pki.make(...NAMES), pki.make(...NAMES)]);
  const expired = await pki.intermediate.issue(NAMES, EXPIRED_MS);
  const bad = [expired.certificatePem, pki.intermediate.certificatePem, other.key, other.ca].join("");
  const files = { "tls.crt": other.chain, "tls.key": other.key, "ca.crt": other.ca };
  await Promise.all(
    Object.entries({ ...files, "bundle.pem": one.whole, "bad.pem": bad }).map(([name, text]) =>
      writeFile(join(folder, name), text),
    ),
  );
}

/** Commands of a block as a terminal shows it, each with the lines that are shown of what it prints. */
function commandsOf(code: string): { readonly command: string; readonly shown: readonly string[] }[] {
  return code
    .split(/^\$ /m)
    .slice(1)
    .map((text) => {
      const [command = "", ...shown] = text.trimEnd().split("\n");
      return { command, shown };
    });
}

/** Checks that the lines are printed in this order; what is another each time may be another. */
function assertShown(said: string, shown: readonly string[]): void {
  const printed = said.split("\n");
  for (const line of shown) {
    if (line === "…") continue;
    const wanted = new RegExp(`^${patternOf(line)}$`);
    const at = printed.findIndex((one) => wanted.test(one));
    assert.notEqual(at, -1, `${line}\nis not printed, or not there:\n${said}`);
    printed.splice(0, at + 1);
  }
}

/** `…` stands for anything; digests, times and numbers for those of another run. */
function patternOf(line: string): string {
  return line
    .replaceAll(/[\\^$.*+?()[\]{}|]/g, "\\$&")
    .replaceAll("…", ".*")
    .replaceAll(/\d{4}-\d\d-\d\dT[\d:]+Z/g, "TIME")
    .replaceAll(/[0-9a-f]{32,}/g, "[0-9a-f]+")
    .replaceAll(/(?<=^| )\d+(?:\\\.\d+)?(?=$| )/g, "[\\d.]+")
    .replaceAll("TIME", "[-\\d:TZ]+");
}

describe("README.md", () => {
  it("puts a bundle in both of its ways", async (t) => {
    const { rotates } = await useReader(t);
    const code = (await codeOf("README.md", "sh")).find((block) => block.startsWith("keyturn put "));
    const [checked = "", bare = ""] = code?.trim().split("\n") ?? [];

    await rotates(checked);
    // Two shapes of one bundle would be a conflict.
    await rotates(`etcdctl del --prefix /certs/inference/\n${bare}`);
  });
});

describe("docs/bundles.md", () => {
  it("puts a bundle as one value, and in parts by one transaction", async (t) => {
    const { rotates } = await useReader(t);
    const [whole = "", parts = ""] = await codeUnder(BUNDLES, "Keys in etcd", "sh");

    await rotates(whole);
    await rotates(`etcdctl del /certs/inference.pem\n${parts}`);
  });

  it("shows what keyturn prints", async (t) => {
    const { shell } = await useReader(t);
    const commands = (await codeOf(BUNDLES, "console")).flatMap(commandsOf);
    assert.ok(commands.length > 1);

    for (const { command, shown } of commands) assertShown((await shell(command)).said, shown);
    assert.throws(() => assertShown("inference: put at revision 7", ["inference: not put at revision 2"]));
  });
});

describe("docs/compose.md", () => {
  it("makes a CA, and rotates again and again", async (t) => {
    // What Compose would run in its containers.
    const places = {
      "docker compose exec -T etcd ": "",
      "docker compose exec keyturn ": "",
      "docker compose logs --follow grpc-client": "true",
    };
    const { rotates } = await useReader(t, places);
    const [code = ""] = await codeOf(COMPOSE, "sh");
    const look = /^openssl s_client .*(?= <\/dev\/null)/m.exec(code)?.[0];
    // A person is slower than a service.
    const untilServed = `until ${look} -verify_return_error </dev/null >/dev/null 2>&1; do sleep 0.1; done`;

    const said = await rotates(code.replace(/^rotate .*$/m, `rotate\n${untilServed}`));

    assert.match(said, /^OK$/m);
    assert.match(said, /^inference +live /m);
    assert.match(said, /^serial=[0-9A-F]+$/m);
    assert.match(said, /^keyturn_reloads_total\{.*outcome="live".*\} 1$/m);
  });
});
