import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { isLocal, type ProxyFlags, readProxyFlags } from "../../src/cli/proxy-settings.ts";

const FLAGS: ProxyFlags = {
  listen: "0.0.0.0:8443",
  to: "127.0.0.1:8000",
  bundle: "/var/lib/keyturn/inference",
  clientCertificates: "off",
  wait: "60s",
  drain: "30s",
  handshakeTimeout: "10s",
  connectTimeout: "5s",
  logLevel: "info",
  logFormat: "auto",
};

const read = (flags: Partial<ProxyFlags>) => readProxyFlags({ ...FLAGS, ...flags });

describe("the flags of keyturn proxy", () => {
  it("say by default: bytes, no client certificates, nothing beside it", () => {
    const { settings, drainMs } = read({});

    assert.deepEqual(settings.mode, { kind: "bytes", alpn: [] });
    assert.deepEqual(settings.to, { host: "127.0.0.1", port: 8000 });
    assert.deepEqual(
      [settings.hook, settings.metrics, settings.firstWithinMs],
      [undefined, undefined, 60_000],
    );
    assert.equal(drainMs, 30_000);
  });

  it("name a unix socket", () => {
    assert.deepEqual(read({ to: "unix:/run/engine.sock" }).settings.to, { socketPath: "/run/engine.sock" });
    assert.deepEqual(read({ to: "unix:///run/engine.sock" }).settings.to, { socketPath: "/run/engine.sock" });
  });

  it("name protocols for bytes", () => {
    assert.deepEqual(read({ alpn: "h2, http/1.1" }).settings.mode, {
      kind: "bytes",
      alpn: ["h2", "http/1.1"],
    });
  });

  it("spread the ends of old connections over the second half of their age", () => {
    const { mode } = read({ http: true, maxConnectionAge: "10m" }).settings;

    assert.deepEqual(mode.kind === "http" && mode.maxConnectionAge, { afterMs: 300_000, windowMs: 300_000 });
  });

  it("take a hook without a secret on loopback only", () => {
    assert.deepEqual(read({ hook: "127.0.0.1:9000" }).settings.hook?.proof, { unsigned: true });
    assert.deepEqual(read({ hook: ":9000", hookSecretFile: "/s" }).settings.hook?.proof, {
      secretFile: "/s",
    });
  });

  for (const [flags, message] of [
    [{ to: "127.0.0.1" }, /^--to: expected host:port/],
    [{ to: "unix:engine.sock" }, /^--to: expected unix: and an absolute path/],
    [{ hook: ":9000" }, /^--hook: can be reached by others: add --hook-secret-file/],
    [{ hookSecretFile: "/s" }, /^--hook-secret-file: needs --hook/],
    [{ trust: "/mesh" }, /^--trust: .*add --client-certificates/],
    [{ trustForwarded: true }, /^--trust-forwarded: needs --http/],
    [{ maxConnectionAge: "1m" }, /^--max-connection-age: needs --http/],
    [{ responseTimeout: "1m" }, /^--response-timeout: needs --http/],
    [{ http: true, alpn: "h2" }, /^--alpn: is for bytes/],
    [{ alpn: "h2,,x" }, /^--alpn: expected protocols/],
    [{ drain: "soon" }, /^--drain: expected a duration.* and not "soon"/],
    [{ handshakeTimeout: "0s" }, /^--handshake-timeout: expected a duration longer than 0/],
  ] as const) {
    it(`make no sense as ${JSON.stringify(flags)}`, () => {
      assert.throws(() => read(flags), { code: "USAGE", message });
    });
  }
});

describe("a target on this node", () => {
  for (const [to, is] of [
    [{ host: "127.0.0.1", port: 1 }, true],
    [{ host: "::1", port: 1 }, true],
    [{ host: "localhost", port: 1 }, true],
    [{ socketPath: "/run/x.sock" }, true],
    [{ host: "10.0.0.1", port: 1 }, false],
    [{ host: "127.example.com", port: 1 }, false],
  ] as const) {
    it(`is${is ? "" : " not"} ${JSON.stringify(to)}`, () => {
      assert.equal(isLocal(to), is);
    });
  }
});
