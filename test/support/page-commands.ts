/** Which tests run the commands of which page; and of those that no test runs here, why. */

/** What becomes of the `sh` and `console` blocks of a page. */
interface PageCommands {
  /** Test files, from the root of the repository. */
  readonly runBy: readonly string[];
  /** Which of them are not run, and why. */
  readonly notRun?: string;
}

const trial = (name: string): PageCommands => ({ runBy: [`test/operate/recipes/${name}.test.ts`] });
const PARSED = "its keyturn proxy is only parsed";

/** By page. */
export const COMMANDS_OF_PAGES: Readonly<Record<string, PageCommands>> = {
  "README.md": {
    runBy: ["test/docs.test.ts", "test/operate/docs/commands.test.ts", "test/recipes.test.ts"],
    notRun: `the first block is what .ci/run does; nothing is installed from a registry; ${PARSED}`,
  },
  "docs/alerts.md": {
    runBy: ["test/operate/prometheus/runbooks.test.ts", "test/recipes.test.ts"],
    notRun: PARSED,
  },
  "docs/bundles.md": { runBy: ["test/operate/docs/commands.test.ts"] },
  "docs/compose.md": { runBy: ["test/operate/docs/commands.test.ts"] },
  "docs/etcd.md": { runBy: ["test/operate/install/etcd.test.ts"] },
  "docs/install.md": {
    runBy: ["test/operate/install/package.test.ts"],
    notRun:
      "docker and kubectl create need an engine and a cluster; systemctl is a stand-in that prints its words",
  },
  "docs/json.md": {
    runBy: [],
    notRun: "they need jq; test/cli/json.test.ts checks that the fields they pick are there",
  },
  "docs/proxy.md": {
    runBy: ["test/recipes.test.ts"],
    notRun: `${PARSED}, and run in test/proxy; vLLM and Triton are not here`,
  },
  "docs/recipes/apache.md": trial("apache"),
  "docs/recipes/caddy.md": trial("caddy"),
  "docs/recipes/envoy.md": { runBy: [], notRun: "Envoy is not in Debian" },
  "docs/recipes/haproxy.md": trial("haproxy"),
  "docs/recipes/nginx.md": trial("nginx"),
  "docs/recipes/postgresql.md": trial("postgresql"),
  "docs/recipes/ray-serve.md": {
    runBy: ["test/recipes.test.ts"],
    notRun: `Ray is not in Debian; ${PARSED}`,
  },
  "docs/recipes/stunnel.md": trial("stunnel"),
  "docs/recipes/triton.md": {
    runBy: ["test/recipes.test.ts"],
    notRun: `Triton is not in Debian; ${PARSED}`,
  },
  "docs/recipes/uvicorn-gunicorn.md": {
    runBy: ["test/recipes.test.ts"],
    notRun: `it was tried by hand, as the page says; ${PARSED}`,
  },
  "docs/recipes/vllm.md": {
    runBy: [],
    notRun: "vLLM needs an accelerator; its watching was tried by hand, as the page says",
  },
  "docs/runbooks.md": {
    runBy: ["test/operate/prometheus/runbooks.test.ts"],
    notRun: "what stands as console asks systemd, the kernel or an issuer, or changes something",
  },
};
