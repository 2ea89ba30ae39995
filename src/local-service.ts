/** A service of the configuration as the reload room knows it: how it is told, and how it is looked at. */
import type { HttpNotifyConfig, ServiceConfig } from "./config/schema.ts";
import { messageOf } from "./core/errors.ts";
import type { Report } from "./core/events.ts";
import type { Generation } from "./core/generation.ts";
import { matchesAny } from "./core/glob.ts";
import type { LookAt } from "./core/handshake.ts";
import type { BundleName } from "./core/names.ts";
import type { ConfiguredService, Notice, ServiceAnswer } from "./core/service.ts";
import { notifyExec } from "./notify/exec.ts";
import { notifyHaproxy } from "./notify/haproxy.ts";
import { notifyHttp } from "./notify/http-hook.ts";
import { type Expiring, notifyRenewal } from "./notify/renewal.ts";
import { notifySignal } from "./notify/signal.ts";
import type { Turns } from "./notify/turns.ts";
import type { Service } from "./reload/ports.ts";
import type { Clock } from "./runtime/clock.ts";
import type { FileStore } from "./store/file-store.ts";
import { createProbes, type Probes } from "./verify/probes.ts";
import type { WatchedService } from "./verify/schedule.ts";
import { version } from "./version.ts";

/** What services are made with. */
export interface ServiceTools {
  readonly node: string;
  readonly store: FileStore;
  /** Writes the service's own files, before it is told. */
  readonly writeFiles: (bundle: BundleName) => Promise<void>;
  readonly lookAt: LookAt;
  /** For services that several bundles have to take turns at. */
  readonly turns: Turns;
  readonly clock: Clock;
  readonly report: Report;
}

/** A service, and its schedule where it is looked at over TLS. */
export interface LocalService extends Service {
  readonly watched: WatchedService | null;
}

/** What people may see of its settings. */
export function describeService({ name, stage, bundles, notify, verify }: ServiceConfig): ConfiguredService {
  const given = (ways: object) =>
    Object.entries(ways).flatMap(([way, settings]) => (settings === undefined ? [] : [way]));
  const { every: _, ...probes } = verify ?? {};
  return { name, stage, bundles, notify: given(notify).join(), verify: given(probes) };
}

type Tell = (notice: Notice, signal: AbortSignal) => Promise<ServiceAnswer>;

/** Makes a service of its settings. */
export function createService(config: ServiceConfig, tools: ServiceTools): LocalService {
  const { name, stage, bundles, verify } = config;
  const probes = verify === undefined ? null : probesOf(name, verify, tools);
  const sees = verify?.tls === undefined ? null : probes;
  const tell = tellerOf(config, sees, tools);
  const uses = (bundle: BundleName) => matchesAny(bundle, bundles);
  return {
    name,
    stage,
    uses,
    notify: async (notice, signal) => {
      try {
        await tools.writeFiles(notice.generation.name);
      } catch (thrown) {
        // The disk's fault, not the service's: nothing says that it will not take the certificate.
        return { kind: "busy", message: `${name}: ${messageOf(thrown)}` };
      }
      return tell(notice, signal);
    },
    verify: probes && ((generation, signal) => probes.verify(generation, signal)),
    serves: sees && ((generation, signal) => sees.serves(generation, signal)),
    watched: sees && verify ? { name, uses, everyMs: verify.every, look: sees.look } : null,
  };
}

function probesOf(name: string, verify: NonNullable<ServiceConfig["verify"]>, tools: ServiceTools): Probes {
  const { store, lookAt, clock, report } = tools;
  return createProbes(name, verify, {
    lookAt,
    trustOf: async (generation: Generation) => {
      const trust = (await store.read(generation.name))?.trust;
      return trust === undefined || trust.anchors === "" ? null : trust;
    },
    clientOf: async (bundle) => (await store.read(bundle))?.identity ?? null,
    clock,
    report,
  });
}

/** The one way the configuration names. */
function tellerOf({ name, notify }: ServiceConfig, sees: Probes | null, tools: ServiceTools): Tell {
  const { clock, report, turns } = tools;
  const common = { service: name, clock, report };
  const { http, exec, signal: pid, haproxy } = notify;
  if (http !== undefined) {
    const hook = { ...common, ...deliveryOf(http, tools.node) };
    return (notice, signal) => {
      const isServed = sees ? (looking: AbortSignal) => sees.serves(notice.generation, looking) : undefined;
      return notifyHttp({ ...hook, isServed }, notice, signal);
    };
  }
  if (exec !== undefined) {
    return (notice, signal) => notifyExec({ ...common, ...exec, timeoutMs: exec.timeout }, notice, signal);
  }
  if (pid !== undefined) return (notice, signal) => notifySignal({ ...common, ...pid }, notice, signal);
  if (haproxy !== undefined) {
    const options = { ...common, ...haproxy, turns, timeoutMs: haproxy.timeout };
    return (notice, signal) => notifyHaproxy(options, notice, signal);
  }
  return async () => ({ kind: "done" });
}

/** Tells the issuer of `renewal.http`; where none is configured, there is nobody to tell and that is done. */
export function tellRenewal(
  http: HttpNotifyConfig | undefined,
  { node, clock, report }: Pick<ServiceTools, "node" | "clock" | "report">,
): (expiring: Expiring, signal: AbortSignal) => Promise<boolean> {
  if (http === undefined) return async () => true;
  const options = { service: "renewal", clock, report, ...deliveryOf(http, node) };
  return async (expiring, signal) => (await notifyRenewal(options, expiring, signal)).kind === "done";
}

function deliveryOf(http: HttpNotifyConfig, node: string) {
  return { ...http, node, userAgent: `keyturn/${version}`, timeoutMs: http.timeout };
}
