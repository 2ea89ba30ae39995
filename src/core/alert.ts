/** What an alert can have done to a bundle, and what came of it: label values of `keyturn_alert_actions_total`. */

/** What is done: the content that etcd holds is tried again, or an earlier generation is put back. */
export type AlertAction = "retry" | "rollback";

/** What became of it. */
export type AlertResult =
  /** It is being done; how it ends is told after it. */
  | "begun"
  | "done"
  /** There was nothing to do, or something newer came in between. */
  | "nothing"
  | "failed"
  /** Not done, because of a limit. */
  | "limited"
  /** Not done, because the bundle is not as the rule wants it: it was not rotated lately, or it was put back already. */
  | "unsuitable";
