/**
 * The least that any program in Node has to do: a watch, one durable file, one POST. No checks of any kind.
 *
 * With a service, the least that looks at what it serves: one more POST before that, and one TLS session.
 *
 * `node --import tsx floor.ts ENDPOINT KEY FILE URL [HOOK_PORT TLS_PORT]`
 */
import { X509Certificate } from "node:crypto";
import { open, rename } from "node:fs/promises";
import { Agent, request } from "node:http";
import { dirname } from "node:path";
import { connect } from "node:tls";
import { Etcd3, type IWatchResponse } from "etcd3";

const [endpoint = "", key = "", file = "", url = "", hookPort, tlsPort] = process.argv.slice(2);
const agent = new Agent({ keepAlive: true });

async function write(value: Buffer): Promise<void> {
  const temporary = `${file}.new`;
  const made = await open(temporary, "w", 0o600);
  await made.writeFile(value);
  await made.sync();
  await made.close();
  await rename(temporary, file);
  const folder = await open(dirname(file), "r");
  await folder.sync();
  await folder.close();
}

function post(to: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const sent = request(to, { method: "POST", agent }, (response) => {
      response.resume().once("end", resolve);
    });
    sent.once("error", reject).end();
  });
}

/** The leaf is the first certificate of what was put. */
function look(value: Buffer): Promise<void> {
  return new Promise((resolve, reject) => {
    const options = { host: "127.0.0.1", port: Number(tlsPort), rejectUnauthorized: false };
    const socket = connect(options, () => {
      const leaf = socket.getPeerX509Certificate();
      socket.destroy();
      if (leaf?.fingerprint256 === new X509Certificate(value).fingerprint256) resolve();
      else reject(new Error("the service serves another certificate"));
    });
    socket.once("error", reject);
  });
}

async function tell(value: Buffer): Promise<void> {
  if (hookPort !== undefined) {
    await post(`http://127.0.0.1:${hookPort}/`);
    await look(value);
  }
  await post(url);
}

const etcd = new Etcd3({ hosts: [endpoint], grpcOptions: { "grpc.enable_http_proxy": 0 } });
const stream = await etcd.watchClient.watch();
let work = Promise.resolve();
stream.on("data", ({ events }: IWatchResponse) => {
  for (const { kv } of events) work = work.then(() => write(kv.value)).then(() => tell(kv.value));
});
stream.write({ create_request: { key: Buffer.from(key) } });
