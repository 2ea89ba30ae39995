#!/usr/bin/env node
/** The entry of the `keyturn` command. */
import { main } from "./cli/program.ts";

// An open handle of a library must not keep a finished command alive.
process.exit(await main(process.argv.slice(2)));
