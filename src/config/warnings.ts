/** What is good as a configuration and likely a mistake. Pure. */
import { isIP } from "node:net";
import { matchesAny } from "../core/glob.ts";
import type { Config, HttpNotifyConfig, ServiceConfig } from "./schema.ts";

/** One of them. */
export interface Warning {
  /** Dotted, such as `services.0.verify`. */
  readonly setting: string;
  /** What it comes to, and what to do. */
  readonly message: string;
}

/** Everything that is likely a mistake. */
export function warningsOf(config: Config): Warning[] {
  return [
    ...etcdWarnings(config.etcd),
    ...config.services.flatMap((service, at) => serviceWarnings(service, `services.${at}`, config)),
    ...hookWarnings(config.renewal?.http, "renewal.http"),
    ...(config.admin.tokenFile === undefined
      ? [
          warn(
            "admin.tokenFile",
            "without it nobody can reload, resync, roll back or retry over the admin address",
          ),
        ]
      : []),
  ];
}

function etcdWarnings({ endpoints, tls, username, passwordFile }: Config["etcd"]): Warning[] {
  const open = endpoints.filter((endpoint) => endpoint.startsWith("http:"));
  const remote = open.filter((endpoint) => !isLoopback(new URL(endpoint).hostname));
  const what = username === undefined ? "private keys go" : "private keys and the password of etcd go";
  return [
    ...(remote.length > 0
      ? [warn("etcd.endpoints", `${what} over the network in the clear to ${remote.join(", ")}: use https`)]
      : []),
    ...(tls !== undefined && open.length === endpoints.length
      ? [warn("etcd.tls", "nothing uses it: every endpoint is http")]
      : []),
    ...(username !== undefined && passwordFile === undefined
      ? [warn("etcd.username", "there is no etcd.passwordFile: it signs in with an empty password")]
      : []),
    ...(username === undefined && passwordFile !== undefined
      ? [warn("etcd.passwordFile", "nobody signs in with it: there is no etcd.username")]
      : []),
  ];
}

function serviceWarnings(service: ServiceConfig, at: string, { bundles: taken }: Config): Warning[] {
  const { name, bundles, notify, verify } = service;
  const left = bundles.filter((bundle) => isName(bundle) && !isTaken(bundle, taken));
  return [
    ...hookWarnings(notify.http, `${at}.notify.http`),
    ...(verify === undefined
      ? [warn(`${at}.verify`, `nobody looks at what ${name} serves: a reload that did nothing goes unseen`)]
      : []),
    ...clientBundleWarnings(service, at),
    ...(left.length > 0
      ? [
          warn(
            `${at}.bundles`,
            `${name} is never told of ${left.join(", ")}: bundles.include or exclude leaves it out`,
          ),
        ]
      : []),
  ];
}

/** Only a bundle that is served can be looked at: the one that is presented is taken for one that is not. */
function clientBundleWarnings({ name, bundles, verify }: ServiceConfig, at: string): Warning[] {
  const { clientBundle, bundles: served } = verify?.tls ?? {};
  if (clientBundle === undefined || served !== undefined) return [];
  if (bundles.some((bundle) => bundle !== clientBundle)) return [];
  const message =
    `${clientBundle} is the only bundle of ${name} and is presented by keyturn, so nothing is looked at; ` +
    `where ${name} serves it too, set verify.tls.bundles: [${clientBundle}]`;
  return [warn(`${at}.verify.tls.clientBundle`, message)];
}

function hookWarnings(hook: HttpNotifyConfig | undefined, at: string): Warning[] {
  if (hook === undefined || hook.secretFile !== undefined) return [];
  const message = "the hook is not signed: who is told cannot know that keyturn tells it";
  return [warn(`${at}.secretFile`, message)];
}

function isTaken(name: string, { include, exclude }: Config["bundles"]): boolean {
  return matchesAny(name, include) && !matchesAny(name, exclude);
}

function isName(pattern: string): boolean {
  return !/[*?]/.test(pattern);
}

function isLoopback(hostname: string): boolean {
  const host = hostname.replace(/^\[|\]$/g, "");
  return host === "localhost" || host === "::1" || (isIP(host) === 4 && host.startsWith("127."));
}

function warn(setting: string, message: string): Warning {
  return { setting, message };
}
