import assert from "node:assert/strict";
import { hostname } from "node:os";
import { describe, it } from "node:test";
import { configOf } from "../support/config.ts";

const FULL = `
node: gpu-017
etcd:
  endpoints: [https://etcd-0.internal:2379, https://etcd-1.internal:2379/]
  prefix: /certs/
  tls: { caFile: /etc/keyturn/ca.crt, certFile: /etc/keyturn/tls.crt, keyFile: /etc/keyturn/tls.key }
  username: keyturn
  passwordFile: /etc/keyturn/etcd-password
  resyncEvery: 5m
output: { dir: /var/lib/keyturn, keep: 5, mode: "0600", owner: root, group: tls, onDelete: keep }
bundles: { include: ["*"], exclude: [test-*] }
checks: { settle: 2s }
queue: { concurrency: 1, splay: 0s }
services:
  - name: vllm
    bundles: [inference]
    stage: 2
    notify:
      http:
        url: http://127.0.0.1:8000/-/reload
        method: PUT
        timeout: 3s
        attempts: 4
        secretFile: /etc/keyturn/hook-secret
        socketPath: /run/vllm.sock
  - name: nginx
    bundles: [front, "mesh-*"]
    notify: { none: {} }
admin: { listen: 127.0.0.1:9464, tokenFile: /etc/keyturn/token }
log: { level: info, format: json }
`;

describe("the configuration", () => {
  it("may say everything", async (t) => {
    const { etcd, services, admin } = await configOf(t, FULL);
    assert.deepEqual(etcd, {
      endpoints: ["https://etcd-0.internal:2379", "https://etcd-1.internal:2379"],
      prefix: "/certs/",
      tls: {
        caFile: "/etc/keyturn/ca.crt",
        certFile: "/etc/keyturn/tls.crt",
        keyFile: "/etc/keyturn/tls.key",
      },
      username: "keyturn",
      passwordFile: "/etc/keyturn/etcd-password",
      resyncEvery: 300_000,
    });
    assert.deepEqual(services, [
      {
        name: "vllm",
        bundles: ["inference"],
        stage: 2,
        notify: {
          http: {
            url: "http://127.0.0.1:8000/-/reload",
            method: "PUT",
            timeout: 3_000,
            attempts: 4,
            secretFile: "/etc/keyturn/hook-secret",
            socketPath: "/run/vllm.sock",
          },
        },
      },
      { name: "nginx", bundles: ["front", "mesh-*"], stage: 1, notify: { none: {} } },
    ]);
    assert.deepEqual(admin, { listen: { host: "127.0.0.1", port: 9464 }, tokenFile: "/etc/keyturn/token" });
  });

  it("may say nothing", async (t) => {
    assert.deepEqual(await configOf(t, "{}"), {
      node: hostname(),
      etcd: { endpoints: ["http://127.0.0.1:2379"], prefix: "/certs/", resyncEvery: 300_000 },
      output: { dir: "/var/lib/keyturn", keep: 5, mode: 0o600, onDelete: "keep" },
      bundles: { include: ["*"], exclude: [] },
      checks: { settle: 2_000 },
      queue: { concurrency: 1, splay: 0 },
      services: [],
      admin: { listen: { host: "127.0.0.1", port: 9464 } },
      log: { level: "info", format: "auto" },
    });
  });

  it("has defaults for a hook", async (t) => {
    const text = "services: [{name: a, bundles: [b], notify: {http: {url: 'http://x/'}}}]";
    const { services } = await configOf(t, text);
    assert.deepEqual(services[0]?.notify.http, {
      url: "http://x/",
      method: "POST",
      timeout: 5_000,
      attempts: 5,
    });
  });
});
