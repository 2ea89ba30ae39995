/** What Alertmanager may have done by `POST /-/alerts`: the settings of `alerts`. */
import { z } from "zod";
import { about } from "./about.ts";
import { alertName, bundlePattern, duration, labelName, positiveDuration } from "./values.ts";

const limit = z
  .int("expected a whole number")
  .min(1, "expected at least 1")
  .max(1_000, "expected at most 1000");

const rule = z.strictObject({
  alert: about("the name of the alert, exactly", alertName, { sample: "ModelErrorsAfterRotation" }),
  do: about(
    "retry or rollback. `retry` tries what etcd holds again; `rollback` puts the generation back that was live before.",
    z.enum(["retry", "rollback"], "expected retry or rollback"),
  ),
  bundles: about(
    "the bundles it may be done to: names or patterns. The alert names one of them by its label `bundle`.",
    z.array(bundlePattern).min(1, "expected at least one bundle").default(["*"]),
  ),
  atMost: about("actions on one bundle in `per`, whichever rule had them done", limit.default(1)),
  per: about("the time that `atMost` is counted over", positiveDuration.prefault("1h")),
  cooldown: about(
    "no other action on a bundle for so long after one, whichever rule had it done",
    duration.prefault("10m"),
  ),
  within: about(
    "how long after its rotation a bundle may go back. Later, that is not the cause.",
    positiveDuration.prefault("1h"),
  ),
  anyNode: about(
    "whether an alert that names no node is carried out: by every node that it is sent to",
    z.boolean("expected true or false").default(false),
  ),
});

export const alerts = z.strictObject({
  nodeLabels: about(
    "labels that name the node an alert is about. The first that it has counts.",
    z.array(labelName).min(1, "expected at least one label").default(["node", "instance"]),
  ),
  nodeNames: about(
    "what this node is called there, with a port behind it or without",
    z.array(z.string("expected a name").min(1, "expected a name")).default([]),
    { shownDefault: "its `node`" },
  ),
  atMost: about(
    "actions on this node in `per`, whatever rules and bundles they were about",
    limit.default(10),
  ),
  per: about("the time that `atMost` is counted over", positiveDuration.prefault("1h")),
  rules: about("what an alert may have done; nothing where there is none", z.array(rule).default([])),
});
