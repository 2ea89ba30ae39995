/** The library for services: follow a bundle on disk, and serve each generation of it without dropping a connection. */
export type { LeafSummary } from "./core/bundle.ts";
export { type ErrorCode, KeyturnError } from "./core/errors.ts";
export {
  type BundleSource,
  type FollowOptions,
  followBundle,
  type SourceEvents,
  type User,
} from "./hot-swap/bundle-source.ts";
export type { BundleVersion, TlsMaterial } from "./hot-swap/bundle-version.ts";
export type { ContextOptions } from "./hot-swap/context-options.ts";
export type { HotAgentOptions } from "./hot-swap/hot-agent.ts";
export { type HotCredentials, hotCredentials } from "./hot-swap/hot-credentials.ts";
export type { GrpcServerOptions } from "./hot-swap/hot-grpc-server.ts";
export { hotMetrics, type Measured } from "./hot-swap/hot-metrics.ts";
export { type HotTls, type HotTlsOptions, hotTls } from "./hot-swap/hot-tls.ts";
export type { ConnectionAge } from "./hot-swap/old-connections.ts";
export { type ReloadHook, reloadHook } from "./hot-swap/reload-hook.ts";
export { type ServerNames, serverNames } from "./hot-swap/server-names.ts";
export type { HookProof } from "./hot-swap/take-hook.ts";
