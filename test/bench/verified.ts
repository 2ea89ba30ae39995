/** Who looks at what a service serves before the hook: the daemon, and the least that looks at all. */
import { join } from "node:path";
import { beginProgram, type Contender } from "./contender.ts";
import { configureKeyturn } from "./keyturn.ts";
import { beginService, choosePorts } from "./service.ts";

/** The floor, with one look. */
export const floorVerified: Contender = {
  name: "floor-verified",
  label: "floor, verified",
  what: "the least for that: the floor, and between its file and its POST another POST to a service of the same kind and one bare TLS session with it, whose leaf is compared; no chain is judged",
  isVerified: true,
  start: async (stand, url) => {
    const [key, dir] = ["/bench/floor-verified/inference.pem", stand.folder("floor-verified")];
    const file = join(dir, "tls.pem");
    const ports = await choosePorts();
    const service = await beginService(stand, "floor-service", file, ports);
    const words = [stand.etcd.endpoint, key, file, url, ports.hook, ports.tls];
    return {
      children: [beginProgram(stand, "floor", words, dir), service],
      key,
      file,
      tlsPort: ports.tls,
      log: null,
    };
  },
};

/** keyturn, with `verify.tls`. */
export const keyturnVerified: Contender = {
  name: "keyturn-verified",
  isOurs: true,
  label: "keyturn, verified",
  what: "the same for a service in stage 1 with `verify.tls`, and the hook that is timed in stage 2: signed hook to the service, its swap, three TLS sessions one after another that all have to get the new leaf with a chain that the bundle's root accepts, signed hook to the receiver",
  isVerified: true,
  start: async (stand, url) => {
    const [name, prefix] = ["keyturn-verified", "/bench/keyturn-verified/"];
    const ports = await choosePorts();
    const { start, outputDir, log } = await configureKeyturn(stand, name, prefix, url, ports);
    const file = join(outputDir, "inference", "tls.pem");
    const service = await beginService(stand, "keyturn-service", file, ports);
    const key = `${prefix}inference.pem`;
    return { children: [start(), service], key, file, tlsPort: ports.tls, log };
  },
};
