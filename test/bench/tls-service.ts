/**
 * A service that takes the new certificate while it runs: an HTTPS server, and beside it the hook that makes it read the
 * file and swap, answered when new sessions get the new certificate.
 *
 * `node --import tsx tls-service.ts FILE HOOK_PORT TLS_PORT`
 */
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { createServer as createTlsServer } from "node:https";

const KEEP_ALIVE_MS = 600_000;

const [file = "", hookPort, tlsPort] = process.argv.slice(2);
const service = createTlsServer({}, (_request, response) => response.end("ok\n"));
const hook = createServer({ keepAliveTimeout: KEEP_ALIVE_MS }, (request, response) => {
  request.resume().once("end", () => {
    // One open(): key and certificates are of one generation, whatever is renamed meanwhile.
    const pem = readFileSync(file);
    service.setSecureContext({ key: pem, cert: pem });
    response.writeHead(204).end();
  });
});
service.listen(Number(tlsPort), "127.0.0.1");
hook.listen(Number(hookPort), "127.0.0.1");
