/** The alert rules of deploy/prometheus, their unit tests, and the runbooks they name, read for the tests. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parse, stringify } from "yaml";
import { z } from "zod";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
/** Where the rules are. */
export const RULES_FOLDER = join(ROOT, "deploy/prometheus");

const alert = z.strictObject({
  alert: z.string(),
  expr: z.string(),
  for: z.string(),
  labels: z.strictObject({ severity: z.enum(["info", "warning", "critical"]) }),
  annotations: z.strictObject({ summary: z.string(), description: z.string(), runbook_url: z.string() }),
});
const record = z.strictObject({ record: z.string(), expr: z.string() });
const rulesSchema = z.strictObject({
  groups: z.array(z.strictObject({ name: z.string(), rules: z.array(z.union([alert, record])) })),
});
const testsSchema = z.object({
  tests: z.array(
    z.object({
      name: z.string(),
      input_series: z.array(z.object({ series: z.string(), values: z.string() })),
      promql_expr_test: z.array(
        z.object({
          expr: z.string(),
          exp_samples: z.array(z.object({ labels: z.string(), value: z.number() })),
        }),
      ),
    }),
  ),
});

/** An alert, with all that each of them has to have. */
export type AlertRule = z.output<typeof alert>;

/** Every rule, or those that raise alerts. */
export async function readRules(): Promise<{
  readonly alerts: readonly AlertRule[];
  readonly expressions: readonly string[];
}> {
  const text = await readFile(join(RULES_FOLDER, "keyturn.rules.yml"), "utf8");
  const rules = rulesSchema.parse(parse(text)).groups.flatMap((group) => group.rules);
  return {
    alerts: rules.flatMap((rule) => ("alert" in rule ? [rule] : [])),
    expressions: rules.map(({ expr }) => expr),
  };
}

/** A unit test of a rule: which alert it asks for, and whether that is to fire. */
export interface RuleTest {
  readonly name: string;
  readonly alert: string | undefined;
  readonly fires: boolean;
  readonly series: readonly string[];
}

/** Every unit test of them. */
export async function readRuleTests(): Promise<readonly RuleTest[]> {
  const text = await readFile(join(RULES_FOLDER, "keyturn.rules.test.yml"), "utf8");
  return testsSchema.parse(parse(text)).tests.flatMap(({ name, input_series, promql_expr_test }) =>
    promql_expr_test.map(({ expr, exp_samples }) => ({
      name,
      alert: /^ALERTS\{alertname="(\w+)", alertstate="firing"\}$/.exec(expr)?.[1],
      fires: exp_samples.length > 0,
      series: input_series.map(({ series }) => series),
    })),
  );
}

/** Names of metrics in an expression. */
export function metricsIn(expression: string): readonly string[] {
  const names = expression.match(/\b(?:keyturn|tls|process|nodejs|http)_\w+|\bup\b/g) ?? [];
  return [...new Set(names)];
}

/** A file of rules whose alerts fire at once: nobody waits a quarter of an hour here. */
export function hurried(text: string): string {
  const rules = parse(text) as { groups: { rules: { for?: string }[] }[] };
  for (const rule of rules.groups.flatMap((group) => group.rules))
    if (rule.for !== undefined) rule.for = "0s";
  return stringify(rules);
}
