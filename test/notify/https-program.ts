/** Delivers one hook to the address it is given, and prints the answer. */
import { hookOf } from "../support/hook.ts";

const [, , url = ""] = process.argv;
process.stdout.write(JSON.stringify(await hookOf(url, { attempts: 1 }).deliver()));
