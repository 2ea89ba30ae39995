/** What help and manual say besides the options: one source of prose for `--help`, and for the man page. */

/** A command line to copy, and what it is for. */
interface Example {
  readonly does: string;
  /** Each a line; those of one command go on with a backslash. */
  readonly lines: readonly string[];
}

/** A paragraph that begins with a word it is about. */
interface Entry {
  readonly word: string;
  readonly text: string;
}

/** What is said of one command. */
export interface CommandManual {
  /** Under which heading `keyturn --help` has it. */
  readonly group: string;
  readonly paragraphs: readonly string[];
  readonly examples: readonly Example[];
  /** Which settings its help names: all of those that begin so. Every other flag of a setting is understood too. */
  readonly settings: readonly string[];
}

const ASK = "Ask";
const CHANGE = "Change";
const RUN = "Run";
const MORE = "More";

/** Settings of what speaks to the daemon. */
const OF_THE_DAEMON = ["admin."];

/** Of each command, by its name. */
export const COMMANDS: Readonly<Record<string, CommandManual>> = {
  run: {
    group: RUN,
    paragraphs: [
      "SIGTERM and SIGINT finish the reload that is under way, 10 s at most or the timeout of its hook; a second one " +
        "ends at once. SIGHUP reads the configuration again; a bad one is reported, and the old one stays in force.",
    ],
    examples: [
      { does: "try it, with nothing to set up", lines: ["keyturn run --dev"] },
      { does: "as a node does", lines: ["keyturn run --config /etc/keyturn/keyturn.yaml"] },
    ],
    settings: [""],
  },
  "check-config": {
    group: RUN,
    paragraphs: [
      "Names everything that is wrong with line and column, and exits 2. What is good but likely a mistake is a warning.",
    ],
    examples: [
      {
        does: "before a daemon is told to read it again",
        lines: ["keyturn check-config && systemctl reload keyturn"],
      },
      { does: "for an editor", lines: ["keyturn check-config --schema > keyturn.schema.json"] },
    ],
    settings: [""],
  },
  status: {
    group: ASK,
    paragraphs: [
      "What is broken comes first, with what to do about it. Named bundles are shown with everything that is known of " +
        "them; the exit code is then about them. On a terminal what is too long is cut to its width; a pipe gets all of it.",
    ],
    examples: [
      { does: "one bundle in detail", lines: ["keyturn status inference"] },
      { does: "watch a rotation", lines: ["keyturn status --watch 1"] },
      {
        does: "names of bundles that are not live",
        lines: ["keyturn status --json | jq -r '.bundles[] | select(.live | not).name'"],
      },
    ],
    settings: OF_THE_DAEMON,
  },
  history: {
    group: ASK,
    paragraphs: [
      "Oldest first; which one is current is said. Reloads of a bundle are shown by keyturn status NAME.",
    ],
    examples: [{ does: "what may be gone back to", lines: ["keyturn history inference"] }],
    settings: OF_THE_DAEMON,
  },
  inspect: {
    group: ASK,
    paragraphs: [
      "The checks are those of the daemon, by the same rules. A private key is never shown. Files may be given in any " +
        "order; - is standard input.",
    ],
    examples: [
      { does: "files", lines: ["keyturn inspect tls.crt tls.key ca.crt"] },
      { does: "what etcd holds", lines: ["keyturn inspect --name inference"] },
    ],
    settings: ["etcd.", "checks."],
  },
  put: {
    group: CHANGE,
    paragraphs: [
      "The checks come first. What is written is one transaction, and only where nobody else changed the bundle meanwhile. " +
        "Trust anchors and revocation lists that etcd holds never go by omission: that takes --no-ca and --no-crl.",
    ],
    examples: [
      {
        does: "certificate, key and what is trusted",
        lines: ["keyturn put inference --cert tls.crt --key tls.key --ca ca.crt"],
      },
      {
        does: "all in one file; see what would be written",
        lines: ["keyturn put inference bundle.pem --dry-run"],
      },
    ],
    settings: ["etcd.", "checks."],
  },
  rollback: {
    group: CHANGE,
    paragraphs: [
      "Services are told, and looked at. What was current goes into quarantine until other content is live, or " +
        "keyturn retry lifts it. Needs the admin token (admin.tokenFile).",
    ],
    examples: [
      { does: "to the one before", lines: ["keyturn rollback inference"] },
      { does: "to a certain one", lines: ["keyturn rollback inference --to 000007-9f86d081"] },
    ],
    settings: OF_THE_DAEMON,
  },
  retry: {
    group: CHANGE,
    paragraphs: [
      "Lifts the quarantine of the bundle, where it has one. Needs the admin token (admin.tokenFile).",
    ],
    examples: [{ does: "after the service was put right", lines: ["keyturn retry inference"] }],
    settings: OF_THE_DAEMON,
  },
  proxy: {
    group: RUN,
    paragraphs: [
      "Follows the bundle's folder on disk; the daemon writes it. SIGTERM drains. SIGHUP has it look at the disk at once.",
    ],
    examples: [
      {
        does: "vLLM, or anything else that speaks HTTP, on plain loopback",
        lines: [
          "keyturn proxy --http --listen 0.0.0.0:8443 --to 127.0.0.1:8000 \\",
          "  --bundle /var/lib/keyturn/inference",
        ],
      },
      {
        does: "Triton's gRPC port, for clients with certificates of the mesh",
        lines: [
          "keyturn proxy --alpn h2 --listen 0.0.0.0:8444 --to 127.0.0.1:8001 \\",
          "  --bundle /var/lib/keyturn/inference \\",
          "  --client-certificates required --trust /var/lib/keyturn/mesh",
        ],
      },
      {
        does: "answer the daemon's hook when the certificate is served; metrics, health",
        lines: [
          "keyturn proxy --listen 0.0.0.0:8443 --to unix:/run/engine.sock \\",
          "  --bundle /var/lib/keyturn/inference --metrics 127.0.0.1:9465 \\",
          "  --hook 127.0.0.1:9000 --hook-secret-file /etc/keyturn/hook-secret",
        ],
      },
    ],
    settings: [],
  },
  demo: {
    group: RUN,
    paragraphs: [],
    examples: [{ does: "ten rotations, then a summary", lines: ["keyturn demo --rotations 10 --every 0.5"] }],
    settings: [],
  },
  "support-bundle": {
    group: MORE,
    paragraphs: [
      "One gzipped JSON file: configuration without secrets, the result of check-config, status, history and metrics of " +
        "the daemon, versions, limits, the link to etcd, and the listing of the output folder. Private keys, passwords, " +
        "passphrases, hook secrets and tokens are taken out, and arguments and parts of addresses that may be one; names " +
        "of hosts, files and certificates stay. Works while the daemon is down: what is missing is said, and why. The " +
        "file has mode 0600.",
    ],
    examples: [
      { does: "keyturn-support-NODE-TIME.json.gz in the working folder", lines: ["keyturn support-bundle"] },
      { does: "read it before it is sent", lines: ["keyturn support-bundle - | gzip -d | less"] },
    ],
    settings: [...OF_THE_DAEMON, "output.dir", "etcd."],
  },
  completion: {
    group: MORE,
    paragraphs: [
      "Commands, flags, files, and the bundles of this node with their generations are completed.",
    ],
    examples: [
      { does: "bash", lines: ["source <(keyturn completion bash)    # in ~/.bashrc"] },
      { does: "zsh", lines: ['keyturn completion zsh > "$fpath[1]/_keyturn"'] },
      { does: "fish", lines: ["keyturn completion fish > ~/.config/fish/completions/keyturn.fish"] },
    ],
    settings: [],
  },
};

/** What keyturn is. */
export const SUMMARY = "Turns TLS certificates on a node as one: from etcd to what services really serve.";

/** In the order the help has them. */
export const GROUPS = [RUN, ASK, CHANGE, MORE];

export const EXAMPLES: readonly Example[] = [
  { does: "see it work, with nothing to set up", lines: ["keyturn demo"] },
  { does: "rotate", lines: ["keyturn put inference --cert tls.crt --key tls.key --ca ca.crt"] },
  { does: "and see it go live", lines: ["keyturn status --watch"] },
];

export const ENVIRONMENT: readonly Entry[] = [
  { word: "KEYTURN_CONFIG", text: "the configuration file" },
  {
    word: "KEYTURN_…",
    text: "a setting: --etcd-endpoints is KEYTURN_ETCD_ENDPOINTS. Flags win over variables, these over the file.",
  },
  { word: "NO_COLOR, FORCE_COLOR", text: "no colours; colours without a terminal too" },
];

export const FILES: readonly Entry[] = [
  { word: "./keyturn.yaml", text: "the configuration, where --config names no other; else" },
  { word: "/etc/keyturn/keyturn.yaml", text: "that one, where it exists" },
  { word: "/var/lib/keyturn", text: "the bundles, a folder for each, where output.dir says nothing else" },
];

export const EXIT_CODES: readonly Entry[] = [
  { word: "0", text: "done, or the answer is yes" },
  { word: "1", text: "the answer is no, or it failed: standard error says what and why" },
  { word: "2", text: "the command line or the configuration is wrong" },
];

/** Where there is more. */
export const SEE_ALSO =
  "keyturn COMMAND --help; README.md in the package; docs/configuration.md (every setting) and docs/json.md (what " +
  "--json prints) in its repository.";

/** What the man page begins with. */
export const DESCRIPTION: readonly string[] = [
  "keyturn watches a prefix in etcd. When a bundle there changes it proves the bundle good by a real TLS handshake, puts " +
    "it on disk in one atomic flip, tells the local services, looks at what they really serve, and goes back if that is " +
    "not the new certificate.",
  "A bundle is one value, /certs/NAME or /certs/NAME.pem: leaf, intermediates, private key, trust anchors and revocation " +
    "lists as PEM blocks; or /certs/NAME.p12; or the parts tls.crt, tls.key, ca.crt and ca.crl below /certs/NAME/. Putting " +
    "it is all it takes to rotate.",
  "keyturn run is the daemon. The other commands ask it over its admin address, or read files and etcd themselves.",
];
