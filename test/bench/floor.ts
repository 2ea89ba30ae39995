/**
 * The least that any program in Node has to do: a watch, one durable file, one POST. No checks of any kind.
 *
 * `node --import tsx floor.ts ENDPOINT KEY FILE URL`
 */
import { open, rename } from "node:fs/promises";
import { Agent, request } from "node:http";
import { dirname } from "node:path";
import { Etcd3, type IWatchResponse } from "etcd3";

const [endpoint = "", key = "", file = "", url = ""] = process.argv.slice(2);
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

function post(): Promise<void> {
  return new Promise((resolve, reject) => {
    const sent = request(url, { method: "POST", agent }, (response) => {
      response.resume().once("end", resolve);
    });
    sent.once("error", reject).end();
  });
}

const etcd = new Etcd3({ hosts: [endpoint], grpcOptions: { "grpc.enable_http_proxy": 0 } });
const stream = await etcd.watchClient.watch();
let work = Promise.resolve();
stream.on("data", ({ events }: IWatchResponse) => {
  for (const { kv } of events) work = work.then(() => write(kv.value)).then(post);
});
stream.write({ create_request: { key: Buffer.from(key) } });
