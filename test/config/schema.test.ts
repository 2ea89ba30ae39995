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
output: { dir: /var/lib/keyturn, keep: 5, mode: "0600", owner: root, group: tls, auditEvery: 1m, onDelete: keep }
bundles: { include: ["*"], exclude: [test-*] }
checks:
  settle: 2s
  profile: fips
  minRemaining: 1h
  maxValidity: 90d
  allowCriticalOids: ["1.3.6.1.4.1.99999.1"]
  requireEku: [serverAuth]
  trustGuard: off
  rules:
    - { bundles: ["api-*"], requireNames: [api.example.com], passphraseFile: /etc/keyturn/passphrase }
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
    verify:
      tls: { address: 127.0.0.1:8443, serverName: inference.local, within: 5s, connections: 2, clientBundle: mesh }
      http: { url: http://127.0.0.1:8000/health, expect: 204, within: 20s }
      every: 30s
    files:
      - { path: /etc/engine/tls.pem, content: combined, mode: "0640", owner: root, group: tls }
  - name: nginx
    bundles: [front, "mesh-*"]
    notify: { none: {} }
  - { name: triton, bundles: [a], notify: { exec: { argv: [systemctl, reload, triton] } } }
  - { name: stunnel, bundles: [a], notify: { signal: { pidFile: /run/stunnel.pid, processName: stunnel4 } } }
  - { name: front, bundles: [a], notify: { haproxy: { socketPath: /run/haproxy.sock, certificate: /etc/a.pem } } }
  - { name: db, bundles: [a], notify: { none: {} }, verify: { tls: { address: 127.0.0.1:5432, protocol: postgres } } }
expiry: { warnAt: [60d, 12h], warnBelow: 0.25 }
renewal: { http: { url: http://127.0.0.1:9000/renew } }
admin: { listen: 127.0.0.1:9464, tokenFile: /etc/keyturn/token }
log: { level: info, format: json }
alerts:
  nodeLabels: [host]
  nodeNames: [gpu-017.internal]
  atMost: 5
  per: 2h
  rules:
    - alert: ModelErrorsAfterRotation
      do: rollback
      bundles: [inference]
      atMost: 2
      per: 24h
      cooldown: 10m
      within: 30m
      anyNode: true
`;

describe("the configuration", () => {
  it("may say everything", async (t) => {
    const { etcd, services, admin, checks, expiry, renewal, alerts } = await configOf(t, FULL);
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
        verify: {
          tls: {
            address: { host: "127.0.0.1", port: 8443 },
            protocol: "tls",
            serverName: "inference.local",
            within: 5_000,
            connections: 2,
            clientBundle: "mesh",
          },
          http: { url: "http://127.0.0.1:8000/health", expect: 204, within: 20_000 },
          every: 30_000,
        },
        files: [
          { path: "/etc/engine/tls.pem", content: "combined", mode: 0o640, owner: "root", group: "tls" },
        ],
      },
      { name: "nginx", bundles: ["front", "mesh-*"], stage: 1, notify: { none: {} }, files: [] },
      ...[
        { name: "triton", notify: { exec: { argv: ["systemctl", "reload", "triton"], timeout: 10_000 } } },
        {
          name: "stunnel",
          notify: { signal: { pidFile: "/run/stunnel.pid", signal: "SIGHUP", processName: "stunnel4" } },
        },
        {
          name: "front",
          notify: {
            haproxy: { socketPath: "/run/haproxy.sock", certificate: "/etc/a.pem", timeout: 5_000 },
          },
        },
        {
          name: "db",
          notify: { none: {} },
          verify: {
            tls: {
              address: { host: "127.0.0.1", port: 5432 },
              protocol: "postgres",
              within: 10_000,
              connections: 3,
            },
            every: 60_000,
          },
        },
      ].map((service) => ({ ...service, bundles: ["a"], stage: 1, files: [] })),
    ]);
    assert.deepEqual(checks, {
      settle: 2_000,
      profile: "fips",
      minRemaining: 3_600_000,
      maxValidity: 7_776_000_000,
      allowCriticalOids: ["1.3.6.1.4.1.99999.1"],
      requireEku: ["serverAuth"],
      trustGuard: "off",
      rules: [
        { bundles: ["api-*"], requireNames: ["api.example.com"], passphraseFile: "/etc/keyturn/passphrase" },
      ],
    });
    assert.deepEqual(expiry, { warnAt: [5_184_000_000, 43_200_000], warnBelow: 0.25 });
    assert.equal(renewal?.http.url, "http://127.0.0.1:9000/renew");
    assert.deepEqual(alerts, {
      nodeLabels: ["host"],
      nodeNames: ["gpu-017.internal"],
      atMost: 5,
      per: 7_200_000,
      rules: [
        {
          alert: "ModelErrorsAfterRotation",
          do: "rollback",
          bundles: ["inference"],
          atMost: 2,
          per: 86_400_000,
          cooldown: 600_000,
          within: 1_800_000,
          anyNode: true,
        },
      ],
    });
    assert.deepEqual(admin, { listen: { host: "127.0.0.1", port: 9464 }, tokenFile: "/etc/keyturn/token" });
  });

  it("may say nothing", async (t) => {
    assert.deepEqual(await configOf(t, "{}"), {
      node: hostname(),
      etcd: { endpoints: ["http://127.0.0.1:2379"], prefix: "/certs/", resyncEvery: 300_000 },
      output: { dir: "/var/lib/keyturn", keep: 5, mode: 0o600, auditEvery: 60_000, onDelete: "keep" },
      bundles: { include: ["*"], exclude: [] },
      checks: {
        settle: 2_000,
        profile: "default",
        minRemaining: 3_600_000,
        allowCriticalOids: [],
        requireEku: [],
        trustGuard: "on",
        rules: [],
      },
      queue: { concurrency: 1, splay: 0 },
      services: [],
      expiry: { warnAt: [2_592_000_000, 604_800_000, 86_400_000], warnBelow: 1 / 3 },
      alerts: { nodeLabels: ["node", "instance"], nodeNames: [], atMost: 10, per: 3_600_000, rules: [] },
      admin: { listen: { host: "127.0.0.1", port: 9464 } },
      log: { level: "info", format: "auto" },
    });
  });

  it("has defaults for what an alert may have done, which let through little", async (t) => {
    const { alerts } = await configOf(t, "alerts: {rules: [{alert: A, do: retry}]}");
    const [rule] = alerts.rules;
    assert.deepEqual(rule, {
      alert: "A",
      do: "retry",
      bundles: ["*"],
      atMost: 1,
      per: 3_600_000,
      cooldown: 600_000,
      within: 3_600_000,
      anyNode: false,
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
