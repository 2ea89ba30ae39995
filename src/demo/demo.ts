/** `keyturn demo`: certificates of three real services turn under load; anything dropped is counted and told. */
import { messageOf } from "../core/errors.ts";
import { systemClock } from "../runtime/clock.ts";
import { CloseStack } from "../runtime/close-stack.ts";
import { asksOf } from "./ask.ts";
import { asksByGrpc } from "./ask-grpc.ts";
import { HEAD, type Refusal, type Rotation, refusalLine, rotationLine, summary } from "./screen.ts";
import { type DemoService, type LogLine, type Stage, setStage } from "./stage.ts";
import { type Counts, startTraffic, type Traffic } from "./traffic.ts";

/** How long the demo goes on, and how fast. */
export interface DemoOptions {
  /** Ends after this many; undefined goes on until Ctrl-C. */
  readonly rotations: number | undefined;
  readonly everyMs: number;
}

/** A rotation that is not seen to its end in this time counts as failed. */
const ROTATION_TIMEOUT_MS = 20_000;
/** Rotations between two puts that must not stay. */
const REFUSAL_AFTER = 4;
const EXPIRED_MS = 30_000;

/** Runs the demo. Returns 0 where nothing was dropped and every rotation was served, else 1. */
export async function runDemo({ rotations, everyMs }: DemoOptions): Promise<number> {
  const stopped = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => stopped.abort());
  const closes = new CloseStack();
  try {
    write("Starting an etcd, a CA, two HTTPS services, a gRPC one and keyturn on 127.0.0.1 …");
    const stage = await setStage(closes);
    const traffic = await startLoad(stage, closes);
    write(`etcd ${stage.endpoint}, status ${stage.adminUrl}/status; Ctrl-C ends the demo\n`);
    write(HEAD);
    const limit = rotations ?? Number.POSITIVE_INFINITY;
    const { done, refused } = await rotateUntil(stage, traffic, limit, everyMs, stopped.signal);
    await Promise.all([...traffic.values()].map((load) => load.stop()));
    const counts = total(traffic);
    write(summary(done, refused, counts));
    return counts.failed === 0 && done.length > 0 ? 0 : 1;
  } catch (thrown) {
    write(`\nThe demo failed: ${messageOf(thrown)}`);
    return 1;
  } finally {
    await closes.close();
  }
}

/** The first bundles, which the services begin with, and load on all. */
async function startLoad(stage: Stage, closes: CloseStack): Promise<Map<DemoService, Traffic>> {
  const traffic = new Map<DemoService, Traffic>();
  for (const service of stage.services) {
    const serving = service.next(({ event }) => event === "serving" || undefined);
    await stage.put(service.name, (await issue(stage, service.serverName)).pem);
    await withinTime(serving, `${service.name} serves its first certificate`);
    const load = startTraffic(
      service.example === "grpc"
        ? await asksByGrpc(service, closes)
        : asksOf({ ...service, ca: stage.authority.certificatePem }, closes),
    );
    closes.push(() => load.stop());
    traffic.set(service, load);
  }
  return traffic;
}

/** Turns one service after the other; after every few rotations comes a bundle that must not stay. */
async function rotateUntil(
  stage: Stage,
  traffic: ReadonlyMap<DemoService, Traffic>,
  count: number,
  everyMs: number,
  signal: AbortSignal,
): Promise<{ readonly done: readonly Rotation[]; readonly refused: readonly Refusal[] }> {
  const done: Rotation[] = [];
  const refused: Refusal[] = [];
  const loads = [...traffic];
  while (done.length < count && !signal.aborted) {
    const [service, load] = loads[done.length % loads.length] ?? [];
    if (service === undefined || load === undefined) break;
    const begin = systemClock.monotonicMs();
    const rotation = await rotate(stage, service, load);
    done.push(rotation);
    write(rotationLine(rotation, total(traffic), systemClock.now()));
    if (done.length % REFUSAL_AFTER === 0) {
      const refusal = await (refused.length % 2 === 0 ? putExpired : putForeign)(stage, service);
      refused.push(refusal);
      write(refusalLine(refusal, systemClock.now()));
    }
    if (done.length < count) await pause(everyMs - (systemClock.monotonicMs() - begin), signal);
  }
  return { done, refused };
}

/** A certificate that ended a while ago: it does not come as far as the disk. */
async function putExpired(stage: Stage, { name, serverName }: DemoService): Promise<Refusal> {
  const { pem } = await issue(stage, serverName, -EXPIRED_MS);
  const rejected = stage.logged((line) => (isAbout(line, name, "bundle.rejected") ? line : undefined));
  const revision = await stage.put(name, pem);
  const { problems = [] } = await withinTime(rejected, `revision ${revision} of ${name} is rejected`);
  return { bundle: name, revision, what: "rejected", why: problems.map(({ code }) => code).join(", ") };
}

/** A good certificate for somebody else, which the service refuses: keyturn goes back by itself. */
async function putForeign(stage: Stage, { name }: DemoService): Promise<Refusal> {
  const { pem } = await issue(stage, "elsewhere.local");
  const ended = stage.logged((line) => (isAbout(line, name, "reload.finished") ? line : undefined));
  const revision = await stage.put(name, pem);
  const { outcome, why = "" } = await withinTime(ended, `revision ${revision} of ${name} is rolled back`);
  if (outcome !== "rolledBack") throw new Error(`revision ${revision} of ${name} ended ${outcome}`);
  return { bundle: name, revision, what: "rolled back", why };
}

function isAbout({ bundle, event }: LogLine, name: string, wanted: string): boolean {
  return bundle === name && event === wanted;
}

/** One put, followed until the service was told and a new connection got the new certificate. */
async function rotate(stage: Stage, service: DemoService, load: Traffic): Promise<Rotation> {
  const { pem, fingerprint256 } = await issue(stage, service.serverName);
  const hooked = service.next((said) =>
    said.event === "hook" && said.fingerprint256 === fingerprint256 ? said : undefined,
  );
  const seen = load.seen(fingerprint256);
  const verified = stage.logged((line) =>
    isAbout(line, service.name, "reload.finished") && line.outcome === "live" ? nowMs() : undefined,
  );
  const begin = nowMs();
  const revision = await stage.put(service.name, pem);
  const hook = await withinTime(hooked, `${service.name} is told of revision ${revision}`);
  const servedAt = await withinTime(seen, `${service.name} serves revision ${revision}`);
  const verifiedAt = await withinTime(verified, `revision ${revision} of ${service.name} is verified`);
  return {
    bundle: service.name,
    digest: hook.digest,
    revision,
    hookMs: hook.receivedAtMs - begin,
    servedMs: servedAt - begin,
    verifiedMs: verifiedAt - begin,
  };
}

/** Unix milliseconds with a fraction, as the services tell them. */
function nowMs(): number {
  return performance.timeOrigin + performance.now();
}

async function issue({ authority }: Stage, serverName: string, validForMs?: number) {
  const { certificatePem, privateKeyPem, fingerprint256 } = await authority.issue([serverName], validForMs);
  return { pem: certificatePem + privateKeyPem + authority.certificatePem, fingerprint256 };
}

function total(traffic: ReadonlyMap<DemoService, Traffic>): Counts {
  const all = [...traffic.values()].map(({ counts }) => counts);
  const sum = (of: (counts: Counts) => number) => all.reduce((so, counts) => so + of(counts), 0);
  return {
    served: sum(({ served }) => served),
    streams: sum(({ streams }) => streams),
    failed: sum(({ failed }) => failed),
    failures: all.flatMap(({ failures }) => failures),
  };
}

async function withinTime<T>(promise: Promise<T>, what: string): Promise<T> {
  const done = new AbortController();
  const late = systemClock.sleep(ROTATION_TIMEOUT_MS, done.signal).then(() => {
    throw new Error(`timed out waiting until ${what}`);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    done.abort();
  }
}

async function pause(ms: number, signal: AbortSignal): Promise<void> {
  try {
    await systemClock.sleep(Math.max(0, ms), signal);
  } catch (thrown) {
    if (!signal.aborted) throw thrown;
  }
}

function write(text: string): void {
  process.stdout.write(`${text}\n`);
}
