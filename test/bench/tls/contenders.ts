/** Who takes part, and what each does. */
import type { Protocol } from "./target.ts";
import type { WayName } from "./ways.ts";

/** One that takes part. */
export interface Contender {
  readonly way: WayName;
  readonly protocol: Protocol;
  /** Whom it is compared with. */
  readonly floor: WayName;
  /** Whether it is what is measured, and not what it is compared with. */
  readonly isOurs?: true;
  /** Whether it is written by hand: then it may fail, and is seen in fewer rounds. */
  readonly isByHand?: true;
  readonly label: string;
  /** What it does, for who reads the table. */
  readonly what: string;
}

const HTTP = { protocol: "http", floor: "static" } as const;
const GRPC = { protocol: "grpc", floor: "staticGrpc" } as const;

const floor: Contender = {
  way: "static",
  ...HTTP,
  label: "static",
  what: "the floor: reads its certificate once and never again",
};

const keyturn: Contender = {
  way: "keyturn",
  ...HTTP,
  isOurs: true,
  label: "keyturn",
  what: "`followBundle` and `hotTls`: each generation is read whole, compared with its manifest, proven, and swapped",
};

/** In the order of the table. */
export const ON_HANDSHAKES: readonly Contender[] = [
  floor,
  keyturn,
  {
    way: "readEach",
    ...HTTP,
    isByHand: true,
    label: "by hand: read for each",
    what: "an `SNICallback` that reads both files for each connection",
  },
  {
    way: "contextEach",
    ...HTTP,
    isByHand: true,
    label: "by hand: context for each",
    what: "an `SNICallback` that makes a context for each connection, of files that are read every 100 ms",
  },
  {
    way: "restart",
    ...HTTP,
    isByHand: true,
    label: "by hand: listen again",
    what: "every 100 ms the server is closed and another one listens on its port",
  },
  {
    way: "staticGrpc",
    ...GRPC,
    label: "gRPC, static",
    what: "the floor of a server of @grpc/grpc-js",
  },
  {
    way: "keyturnGrpc",
    ...GRPC,
    isOurs: true,
    label: "gRPC, keyturn",
    what: "the same server with `hotCredentials`",
  },
];

/** In the order of the table. */
export const ON_REQUESTS: readonly Contender[] = [
  floor,
  keyturn,
  {
    way: "lock",
    ...HTTP,
    isByHand: true,
    label: "by hand: lock",
    what: "a mutex around the certificate, which every request asks for, and which is held every 100 ms while both files are read and their context is made",
  },
];
