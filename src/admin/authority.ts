/** Who may change something: a process of this machine that has the token. */
import { createHash, timingSafeEqual } from "node:crypto";
import { readFile } from "node:fs/promises";
import type { IncomingMessage } from "node:http";
import type { Socket } from "node:net";
import { messageOf } from "../core/errors.ts";
import { type Denial, deny } from "./reply.ts";

const LOOPBACK = /^(127\.|::1$|::ffff:127\.)/;

/** Whether whoever is at the other end is on this machine. */
export function isLocal({ remoteAddress = "" }: Pick<Socket, "remoteAddress">): boolean {
  return LOOPBACK.test(remoteAddress);
}

/** Checks `Authorization: Bearer <token>` and that the request comes from loopback. The token is read each time. */
export async function checkAuthority(
  { socket, headers }: Pick<IncomingMessage, "headers"> & { readonly socket: Pick<Socket, "remoteAddress"> },
  tokenFile: string | undefined,
): Promise<Denial | undefined> {
  if (!isLocal(socket)) return deny(403, "not_local", "ask from this machine, over loopback");
  if (tokenFile === undefined)
    return deny(403, "no_token_file", "no token is configured: set admin.tokenFile");
  let token: string;
  try {
    token = (await readFile(tokenFile, "utf8")).trim();
  } catch (thrown) {
    return deny(403, "no_token_file", `admin.tokenFile cannot be read: ${messageOf(thrown)}`);
  }
  if (token === "") return deny(403, "no_token_file", "admin.tokenFile is empty");
  const given = /^Bearer (.+)$/i.exec(headers.authorization ?? "")?.[1];
  if (given === undefined)
    return deny(401, "no_token", "send Authorization: Bearer <token of admin.tokenFile>");
  return isSame(given, token)
    ? undefined
    : deny(401, "wrong_token", "the token is not the one of admin.tokenFile");
}

/** In a time that says nothing about the token, its length neither. */
function isSame(a: string, b: string): boolean {
  const hash = (text: string) => createHash("sha256").update(text).digest();
  return timingSafeEqual(hash(a), hash(b));
}
