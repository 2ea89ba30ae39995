/** What a sample service says to the demo. */

/** A message of a sample service. Times are Unix milliseconds with a fraction. */
export type ServiceMessage =
  /** Hooks are taken on this port. */
  | { readonly kind: "listening"; readonly port: number }
  /** HTTPS is served on this port, from the first bundle on. */
  | { readonly kind: "serving"; readonly port: number }
  /** A hook arrived at `atMs`, and its certificate is in place. */
  | {
      readonly kind: "hook";
      readonly digest: string;
      /** Of the leaf. */
      readonly fingerprint256: string;
      readonly atMs: number;
    };
