/** Credentials of a @grpc/grpc-js server that follow a bundle, with what gRPC's own do not know: CRLs and sessions. */
import type * as Grpc from "@grpc/grpc-js";
import type { BundleSource } from "./bundle-source.ts";
import type { ContextOptions } from "./context-options.ts";
import { followServerContext } from "./server-context.ts";

/** What is used of the module @grpc/grpc-js, from 1.14. */
export type GrpcServerModule = Pick<typeof Grpc, "ServerCredentials">;

/** How a gRPC server treats its clients. */
export interface GrpcServerOptions {
  /** Whether clients without a certificate of the bundle's authorities are refused; else none is asked for. False. */
  readonly requireClientCertificate?: boolean;
}

/** Credentials, and what ends their following. */
export interface FollowingServerCredentials {
  readonly credentials: Grpc.ServerCredentials;
  readonly end: () => void;
}

/**
 * Makes credentials, for as many servers and ports as there are.
 *
 * @throws TypeError for a @grpc/grpc-js before 1.14; what {@link followServerContext} throws.
 */
export function followServerCredentials(
  { ServerCredentials }: GrpcServerModule,
  source: BundleSource,
  options: ContextOptions,
  { requireClientCertificate = false }: GrpcServerOptions,
): FollowingServerCredentials {
  class HotServerCredentials extends ServerCredentials {
    readonly end: () => void;

    constructor() {
      super({ requestCert: requireClientCertificate, rejectUnauthorized: requireClientCertificate });
      if (typeof this.updateSecureContextOptions !== "function")
        throw new TypeError("credentials that follow need @grpc/grpc-js 1.14 or later");
      // A server that is bound has one created with these options, and gets those that come later by setSecureContext.
      this.end = followServerContext([source], options, (context) =>
        this.updateSecureContextOptions(context),
      );
    }

    override _equals(other: Grpc.ServerCredentials): boolean {
      return this === other;
    }
  }
  const credentials = new HotServerCredentials();
  return { credentials, end: credentials.end };
}
