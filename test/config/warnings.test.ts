import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { warningsOf } from "../../src/config/warnings.ts";
import { configOf } from "../support/config.ts";

const TOKEN = "admin: {tokenFile: /etc/keyturn/token}\n";
const service = (more: string) =>
  `${TOKEN}services: [{name: vllm, bundles: [inference], notify: {none: {}}, ${more}}]`;
const VERIFIED = "verify: {tls: {address: '127.0.0.1:8443'}}";
const tls = (more: string) => `verify: {tls: {address: '127.0.0.1:8443', ${more}}}`;
const HTTP = "notify: {http: {url: 'http://127.0.0.1/', secretFile: a}}";

describe("a configuration that is good and likely a mistake", () => {
  for (const [text, setting, message] of [
    ["{}", "admin.tokenFile", /roll back or retry/],
    [
      `${TOKEN}etcd: {endpoints: ['http://etcd-0:2379']}`,
      "etcd.endpoints",
      /^private keys go over the network in the clear/,
    ],
    [
      `${TOKEN}etcd: {endpoints: ['http://etcd-0:2379'], username: a, passwordFile: b}`,
      "etcd.endpoints",
      /the password of etcd go over the network in the clear to http:\/\/etcd-0:2379: use https/,
    ],
    [`${TOKEN}etcd: {tls: {caFile: a}}`, "etcd.tls", /every endpoint is http/],
    [`${TOKEN}etcd: {username: a}`, "etcd.username", /empty password/],
    [`${TOKEN}etcd: {passwordFile: a}`, "etcd.passwordFile", /no etcd\.username/],
    [service("stage: 1"), "services.0.verify", /nobody looks at what vllm serves/],
    [
      service(tls("clientBundle: inference")),
      "services.0.verify.tls.clientBundle",
      /nothing is looked at.*verify\.tls\.bundles: \[inference\]/,
    ],
    [
      `${service(VERIFIED)}\nbundles: {exclude: ['inf*']}`,
      "services.0.bundles",
      /vllm is never told of inference/,
    ],
    [
      `${TOKEN}services: [{name: a, bundles: [b], notify: {http: {url: 'http://127.0.0.1/'}}, ${VERIFIED}}]`,
      "services.0.notify.http.secretFile",
      /not signed/,
    ],
    [`${TOKEN}renewal: {http: {url: 'http://127.0.0.1/'}}`, "renewal.http.secretFile", /not signed/],
  ] as const) {
    it(`is warned of: ${setting}`, async (t) => {
      const warnings = warningsOf(await configOf(t, text));
      assert.deepEqual(
        warnings.map((warning) => warning.setting),
        [setting],
      );
      assert.match(warnings[0]?.message ?? "", message);
    });
  }

  for (const text of [
    TOKEN,
    `${TOKEN}etcd: {endpoints: ['http://127.0.0.1:2379', 'http://localhost:2379', 'http://[::1]:2379']}`,
    `${TOKEN}etcd: {endpoints: ['https://etcd-0:2379'], tls: {caFile: a}, username: b, passwordFile: c}`,
    service(VERIFIED),
    service(tls("clientBundle: mesh")),
    service(tls("clientBundle: inference, bundles: [inference]")),
    `${TOKEN}services: [{name: a, bundles: [b, mesh], notify: {none: {}}, ${tls("clientBundle: mesh")}}]`,
    `${TOKEN}services: [{name: a, bundles: ['*'], notify: {none: {}}, ${tls("clientBundle: mesh")}}]`,
    `${TOKEN}services: [{name: a, bundles: [b], ${HTTP}, ${VERIFIED}}]`,
  ]) {
    it(`is not: ${text.slice(TOKEN.length) || "with a token, and nothing else"}`, async (t) => {
      assert.deepEqual(warningsOf(await configOf(t, text)), []);
    });
  }
});
