/** `keyturn proxy`: what there is to type. */
import { type Command, Option } from "commander";
import type { ProxyFlags } from "./proxy-settings.ts";

/** Adds the command. */
export function addProxyCommand(program: Command, finish: (code: number) => void): void {
  program
    .command("proxy")
    .description("terminate TLS for a service that cannot turn its certificate, and pass on bytes or HTTP")
    .requiredOption("--listen <host:port>", "where clients connect")
    .requiredOption("--to <target>", "the service, plain, on this node: host:port or unix:/path")
    .requiredOption("--bundle <dir>", "the bundle's folder below output.dir")
    .option("--http", "understand HTTP/1.1 and HTTP/2, pass it on as HTTP/1.1; else bytes are passed")
    .option("--alpn <protocols>", "what the service speaks, for bytes, such as h2,http/1.1")
    .addOption(
      new Option("--client-certificates <who>", "whether clients present certificates")
        .choices(["required", "optional", "off"])
        .default("off"),
    )
    .option("--trust <dir>", "another bundle, whose ca.crt and ca.crl client certificates are checked by")
    .option("--trust-forwarded", "with --http: believe x-forwarded-* of clients, such as another proxy")
    .option("--hook <host:port>", "take the daemon's hooks: answered when the certificate is served")
    .option("--hook-secret-file <file>", "proves hooks: notify.http.secretFile of the daemon")
    .option("--wait <duration>", "for a first generation of the bundle", "60s")
    .option("--metrics <host:port>", "serve /metrics, /healthz and /readyz")
    .option("--drain <duration>", "how long SIGTERM waits for what is under way", "30s")
    .option(
      "--max-connection-age <duration>",
      "with --http: connections end so long after a swap at the latest",
    )
    .option("--handshake-timeout <duration>", "for a client's TLS handshake", "10s")
    .option("--connect-timeout <duration>", "for a connection to the service", "5s")
    .option("--response-timeout <duration>", "with --http: from a request to its answer; 0s for no end (10m)")
    .addOption(
      new Option("--log-level <level>", "what is logged")
        .choices(["debug", "info", "warn", "error"])
        .default("info"),
    )
    .addOption(
      new Option("--log-format <format>", "auto: text on a terminal, JSON elsewhere")
        .choices(["auto", "json", "text"])
        .default("auto"),
    )
    .action(async (flags: ProxyFlags) => {
      // Loaded only here: the other commands need nothing of it.
      const { proxy } = await import("./proxy.ts");
      finish(await proxy(flags));
    });
}
