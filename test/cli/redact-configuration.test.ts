/** Configurations as nodes have them, with secrets where people put them: none survives, and what helps does. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { createRedactor } from "../../src/cli/redact.ts";
import { configSchema } from "../../src/config/schema.ts";

/** What becomes of the arguments of a program, of the service `engine` with the bundle `inference`. */
function argvOf(...argv: string[]): unknown {
  const config = configOf({ exec: { argv } });
  const redacted = createRedactor([], config).redact(config) as typeof config;
  return redacted.services[0]?.notify.exec?.argv;
}

function configOf(notify: object) {
  return configSchema.parse({ services: [{ name: "engine", bundles: ["inference", "mesh-*"], notify }] });
}

describe("the arguments of a program", () => {
  for (const [argv, shown] of [
    [
      ["curl", "-u", "user:hunter22", "-X", "POST", "http://127.0.0.1:1/reload"],
      ["curl", "-u", "[hidden:13]", "-X", "POST", "http://127.0.0.1:1/reload"],
    ],
    [
      ["mysql", "-psesame", "-uroot", "-e", "ALTER INSTANCE RELOAD TLS"],
      ["mysql", "-p[hidden:6]", "-u[hidden:4]", "-e", "[hidden:25]"],
    ],
    [
      ["curl", "-H", "X-Api-Key: abc", "--user=a:b", "--unix-socket", "/run/engine.sock"],
      ["curl", "-H", "[hidden:14]", "--user=[hidden:3]", "--unix-socket", "/run/engine.sock"],
    ],
    [
      ["sh", "-c", "curl -u a:hunter22 http://127.0.0.1:1/"],
      ["sh", "-c", "[hidden:38]"],
    ],
    [
      ["env", "REDISCLI_AUTH=hunter22", "redis-cli", "-a", "sesame"],
      ["env", "[hidden:22]", "[hidden:9]", "-a", "[hidden:6]"],
    ],
    [
      ["AUTH=hunter22", "redis-cli", "redis://a:hunter22@10.0.0.1/0"],
      ["[hidden:13]", "[hidden:9]", "redis://[secret]@10.0.0.1/0"],
    ],
    [
      ["x", "/srv/Zk9xQ2b7LrT4mW1p/key", "--hunter22", "-Dkey.password=x", "L/bK3f+Z=="],
      ["x", "/srv/[hidden:16]/key", "[hidden:10]", "-D[hidden:14]", "[hidden:10]"],
    ],
    [
      ["x", "--password", "sesame", "--token=sesame", "/sesame"],
      ["x", "--password", "[secret]", "--token=[secret]", "[hidden:7]"],
    ],
  ] as const) {
    it(`are of no use to a stranger: ${argv.join(" ")}`, () => assert.deepEqual(argvOf(...argv), shown));
  }

  for (const argv of [
    ["nginx", "-s", "reload"],
    ["systemctl", "try-reload-or-restart", "nginx.service"],
    ["docker", "kill", "--signal=HUP", "engine"],
    ["docker", "exec", "inference", "nginx", "-s", "reload"],
    ["/usr/local/bin/reload-engine", "--config=/etc/engine/engine.conf", "--wait", "-v", "--"],
    ["pkill", "-HUP", "haproxy"],
    ["/usr/bin/pg_ctl", "reload", "-D", "/var/lib/postgresql/16/main"],
    ["x", "--address", "127.0.0.1:2019"],
  ]) {
    it(`say what is done: ${argv.join(" ")}`, () => assert.deepEqual(argvOf(...argv), argv));
  }
});

describe("the path of an address", () => {
  const { redact } = createRedactor([]);
  for (const [url, shown] of [
    ["https://hooks.example/services/T000/B000/XXXXXXXX", "/services/[hidden:4]/[hidden:4]/[hidden:8]"],
    ["https://chat.example/hooks/ggaqtcqbuprb8frt9yz1itqfmr", "/hooks/[hidden:26]"],
    ["https://chat.example/api/webhooks/120938471023/aB-c_D", "/api/webhooks/[hidden:12]/[hidden:6]"],
    ["https://api.example/bot123456:ABC-DEF1234/sendMessage", "/[hidden:21]/sendMessage"],
    ["https://hc.example/ping/6f1c1f3e-0d3b-4a54-9a0d-0a3f5a1f7e11", "/ping/[hidden:36]"],
    ["https://hc.example/qwkzvrtp/httpd", "/[hidden:8]/httpd"],
    ["https://hc.example/1234-5678-9012/", "/[hidden:14]/"],
    ["http://127.0.0.1:8000/%73esame", "/[hidden:8]"],
  ] as const) {
    it(`holds no token: ${url}`, () => assert.equal(redact(url), new URL(url).origin + shown));
  }

  for (const url of [
    "http://127.0.0.1:8000/-/reload",
    "https://[::1]:8443/v2/repository/models/llama-3-70b/load",
    "http://localhost:2019/load",
    "http://localhost/apis/IncomingWebhook/healthz",
    "http://127.0.0.1/",
  ]) {
    it(`says what is asked: ${url}`, () => {
      assert.equal(redact(`answered 503 on ${url}: ask later`), `answered 503 on ${url}: ask later`);
    });
  }
});

describe("what is hidden in a configuration", () => {
  it("is hidden wherever a service or a program says it", () => {
    const argv = ["curl", "-u", "admin:sesame", "-pOpen22", "-H", "X-Api-Key: 31-otto"];
    const { redact } = createRedactor([], configOf({ exec: { argv } }));
    for (const said of ["no user admin:sesame", "sesame is wrong", "31-otto?"]) {
      assert.ok(String(redact(said)).includes("[secret]"), said);
    }
    assert.equal(redact("Open22"), "[secret]");
    const lettered = createRedactor([], configOf({ exec: { argv: ["x", "-pqRvTzKwLpXcB_dFgHjN"] } }));
    assert.equal(lettered.redact("told: -pqRvTzKwLpXcB_dFgHjN"), "told: -p[secret]");

    const url = "https://hooks.example/services/T00000001/b9Zk3";
    const hooked = createRedactor([], configOf({ http: { url } }));
    assert.equal(hooked.redact("Cannot POST /services/T00000001"), "Cannot POST /services/[secret]");
  });

  it("leaves the names and the words that the rest is told in", () => {
    const argv = ["engine-ctl", "inference", "reload", "production", "/etc/engine/engine.conf"];
    const { redact } = createRedactor([], configOf({ exec: { argv } }));
    const said = "engine: inference in production: reload of /etc/engine/engine.conf failed";
    assert.equal(redact(said), said);
  });
});
