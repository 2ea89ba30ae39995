import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { configOf, problemsOf } from "../support/config.ts";

const DURATION = "expected a duration such as 30s, 5m or 12h";
const LONGEST = `${DURATION}, at most 24d`;
const MODE = 'expected an octal mode in quotes, such as "0600"';
const NAME = "expected a name of letters, digits, '.', '_' and '-', at most 63 long";
const LISTEN = "expected host:port, such as 127.0.0.1:9464";
const ENDPOINT = "expected http://host:port or https://host:port";
const URL_WANTED = "expected an http:// or https:// address";
const PATTERN = "expected a bundle name, or a pattern with * and ?";
const hook = (settings: string) =>
  `services: [{name: a, bundles: [b], notify: {http: {url: "http://x/", ${settings}}}}]`;

const service = (settings: string) => `services: [{name: a, bundles: [b], notify: {none: {}}, ${settings}}]`;

describe("a duration", () => {
  for (const [text, ms] of [
    ["250ms", 250],
    ["30s", 30_000],
    ["1.5s", 1_500],
    ["5m", 300_000],
    ["12h", 43_200_000],
    ["24d", 2_073_600_000],
  ] as const) {
    it(`${text} is ${ms} ms`, async (t) => {
      assert.equal((await configOf(t, `etcd: {resyncEvery: ${text}}`)).etcd.resyncEvery, ms);
    });
  }

  it("may be zero where nothing has to be waited for", async (t) => {
    assert.equal((await configOf(t, "queue: {splay: 0s}")).queue.splay, 0);
  });
});

describe("a mode", () => {
  for (const [text, mode] of [
    ["0600", 0o600],
    ["600", 0o600],
    ["0640", 0o640],
    ["0700", 0o700],
  ] as const) {
    it(`"${text}" is ${mode}`, async (t) => {
      assert.equal((await configOf(t, `output: {mode: "${text}"}`)).output.mode, mode);
    });
  }
});

describe("an address to listen on", () => {
  for (const [text, host, port] of [
    ["127.0.0.1:9464", "127.0.0.1", 9464],
    ["localhost:0", "localhost", 0],
    ["[::1]:9464", "::1", 9464],
    [":9464", "0.0.0.0", 9464],
  ] as const) {
    it(`${text} is host ${host} and port ${port}`, async (t) => {
      assert.deepEqual((await configOf(t, `admin: {listen: "${text}"}`)).admin.listen, { host, port });
    });
  }
});

describe("a value that is wrong", () => {
  for (const [text, expected] of [
    ["node: 5", "expected a name"],
    ["node: ''", NAME],
    ["node: a b", NAME],
    [`node: ${"a".repeat(64)}`, NAME],
    ["etcd: {endpoints: []}", "expected at least one endpoint"],
    ["etcd: {endpoints: [nonsense]}", ENDPOINT],
    ["etcd: {endpoints: ['etcd-0:2379']}", ENDPOINT],
    ["etcd: {endpoints: [5]}", ENDPOINT],
    [
      "etcd: {endpoints: ['http://user:pass@etcd:2379']}",
      "put the user into etcd.username and etcd.passwordFile, not into the address",
    ],
    ["etcd: {prefix: /certs}", 'expected a prefix that ends with "/", such as /certs/'],
    ["etcd: {prefix: /}", 'expected a prefix that ends with "/", such as /certs/'],
    ["etcd: {prefix: 5}", "expected a prefix such as /certs/"],
    ["etcd: {tls: {certFile: a}}", "expected certFile and keyFile together"],
    ["etcd: {passwordFile: ''}", "expected a path"],
    ["etcd: {username: 5}", "expected a user name"],
    ["etcd: {resyncEvery: 5}", DURATION],
    ["etcd: {resyncEvery: 0s}", "expected a duration longer than 0"],
    ["etcd: {resyncEvery: 5 minutes}", LONGEST],
    ["etcd: {resyncEvery: -5m}", LONGEST],
    ["etcd: {resyncEvery: 25d}", LONGEST],
    ["etcd: {resyncEvery: 5M}", LONGEST],
    [`queue: {splay: ${"9".repeat(400)}d}`, LONGEST],
    ["output: {dir: 5}", "expected a path"],
    ["output: {keep: 0}", "expected at least 1"],
    ["output: {keep: 101}", "expected at most 100"],
    ["output: {keep: 1.5}", "expected a whole number"],
    ["output: {mode: 0600}", MODE],
    ["output: {mode: '0o600'}", MODE],
    ["output: {mode: '0800'}", MODE],
    ["output: {mode: '0400'}", "expected a mode that lets the owner read and write (06..)"],
    [
      "output: {mode: '0644'}",
      "private keys may not be open to others or writable by the group; 0600 or 0640",
    ],
    [
      "output: {mode: '0660'}",
      "private keys may not be open to others or writable by the group; 0600 or 0640",
    ],
    ["output: {onDelete: forget}", "expected keep or remove"],
    ["bundles: {include: [A]}", PATTERN],
    ["bundles: {include: [5]}", "expected a bundle name or a pattern"],
    ["queue: {concurrency: 65}", "expected at most 64"],
    ["queue: {concurrency: two}", "expected a whole number"],
    ["admin: {listen: 9464}", "expected host:port"],
    ["admin: {listen: '127.0.0.1'}", LISTEN],
    ["admin: {listen: '127.0.0.1:65536'}", LISTEN],
    ["admin: {listen: '::1:80'}", LISTEN],
    ["log: {level: loud}", "expected trace, debug, info, warn, error or fatal"],
    ["log: {format: xml}", "expected auto, json or text"],
    ["services: [{name: a, bundles: [], notify: {none: {}}}]", "expected at least one bundle"],
    ["services: [{name: a, bundles: [b], stage: -1, notify: {none: {}}}]", "expected 0 or more"],
    [
      "services: [{name: a, bundles: [b], notify: {}}]",
      "expected exactly one of http, exec, signal, haproxy, none",
    ],
    [
      "services: [{name: a, bundles: [b], notify: {none: {}, http: {url: 'http://x/'}}}]",
      "expected exactly one of http, exec, signal, haproxy, none",
    ],
    [
      "services: [{name: a, bundles: [b], notify: {none: {}}}, {name: a, bundles: [c], notify: {none: {}}}]",
      "expected every service to have a name of its own",
    ],
    ["services: [{name: a, bundles: [b], notify: {http: {url: nonsense}}}]", URL_WANTED],
    ["services: [{name: a, bundles: [b], notify: {http: {url: 'file:///etc'}}}]", URL_WANTED],
    [
      "services: [{name: a, bundles: [b], notify: {http: {url: 'http://u:p@x/'}}}]",
      "an address may not hold a user or a password; use secretFile",
    ],
    [service("verify: {}"), "expected tls, http or both"],
    [service("verify: {tls: {address: '127.0.0.1:0'}}"), "expected host:port, such as 127.0.0.1:8443"],
    [service("verify: {tls: {address: 'a:1', connections: 0}}"), "expected at least 1"],
    [service("verify: {http: {url: 'http://x/', expect: 7}}"), "expected a status"],
    [service("files: [{path: a.pem, content: cert}]"), "expected an absolute path, one that begins with /"],
    [
      service("files: [{path: /a, content: pem}]"),
      "expected cert, key, chain, fullchain, combined, ca or crl",
    ],
    [
      service("files: [{path: /a, content: key, mode: '0666'}]"),
      "a file here may be written by its owner only, and not be executed",
    ],
    [
      service("files: [{path: /a, content: key}, {path: /a, content: cert}]"),
      "expected every path of files to be given once",
    ],
    [
      "services: [{name: a, bundles: ['b*'], notify: {none: {}}, files: [{path: /a, content: key}]}]",
      "expected one bundle by its name, where files are given: two bundles would write the same paths",
    ],
    [
      "services: [{name: a, bundles: [b], notify: {exec: {argv: []}}}]",
      "expected a program and its arguments, such as [nginx, -s, reload]",
    ],
    [
      "services: [{name: a, bundles: [b], notify: {signal: {pidFile: a.pid}}}]",
      "expected an absolute path, one that begins with /",
    ],
    [
      "services: [{name: a, bundles: [b], notify: {signal: {pidFile: /a, signal: SIGKILL}}}]",
      "expected SIGHUP, SIGUSR1, SIGUSR2, SIGWINCH, SIGTERM or SIGINT",
    ],
    ["checks: {profile: strict}", "expected default or fips"],
    ["checks: {trustGuard: maybe}", "expected on or off"],
    ["checks: {requireEku: [codeSigning]}", "expected serverAuth or clientAuth"],
    [
      "checks: {allowCriticalOids: [private]}",
      "expected an object identifier such as 1.3.6.1.4.1.99999.1, in quotes",
    ],
    ["checks: {maxValidity: 0s}", "expected a duration longer than 0"],
    ["expiry: {warnBelow: 33}", "expected at most 1"],
    ["expiry: {warnAt: [40000d]}", "expected a duration such as 30s, 5m or 12h, at most 36500d"],
    [hook("method: GET"), "expected POST or PUT"],
    [hook("attempts: 0"), "expected at least 1"],
    [hook("attempts: 21"), "expected at most 20"],
    [hook("timeout: 0s"), "expected a duration longer than 0"],
    [hook("secretFile: ''"), "expected a path"],
  ] as const) {
    it(`is told what was expected: ${text.slice(0, 90)}`, async (t) => {
      const messages = (await problemsOf(t, text)).map((line) => line.split(": ").slice(2).join(": "));
      assert.deepEqual(messages, [expected]);
    });
  }
});
