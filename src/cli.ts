#!/usr/bin/env node
/** The entry of the `keyturn` command. */
import { TLSSocket } from "node:tls";
import { main } from "./cli/program.ts";
import { giveNamesOnly } from "./runtime/peer-names.ts";

// The sockets to etcd are made deep inside a library.
giveNamesOnly(TLSSocket.prototype);
const argv = process.argv.slice(2);
// Who reads may have had enough, as `head` has. A daemon goes on, whatever becomes of its output.
if (argv[0] !== "run" && argv[0] !== "proxy") process.stdout.on("error", () => process.exit(1));
// An open handle of a library must not keep a finished command alive.
process.exit(await main(argv));
