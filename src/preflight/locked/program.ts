/**
 * Opens one encrypted private key or PKCS#12 file: the request comes on standard input, the reply goes to standard output.
 *
 * It is a process of its own so that it can have OpenSSL's legacy provider, take its time over the making of keys, and
 * end over what it reads without ending keyturn.
 */
import { text } from "node:stream/consumers";
import type { OpenReply, OpenRequest } from "./messages.ts";
import { openKey } from "./open-key.ts";
import { openPkcs12 } from "./pkcs12.ts";

const request = JSON.parse(await text(process.stdin)) as OpenRequest;
process.stdout.write(JSON.stringify(open(request)));

function open(request: OpenRequest): OpenReply {
  if (request.kind === "key") return openKey(request.pem, Buffer.from(request.passphrase, "base64"));
  const { file, passphrase } = request;
  return openPkcs12(
    Buffer.from(file, "base64"),
    passphrase === null ? null : Buffer.from(passphrase, "base64"),
  );
}
