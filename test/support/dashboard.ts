/** The Grafana dashboard of deploy/grafana, read for the tests: there is no Grafana where they run. */
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { z } from "zod";

const FILE = fileURLToPath(new URL("../../deploy/grafana/keyturn.json", import.meta.url));

const source = z.strictObject({ type: z.literal("prometheus"), uid: z.literal(`\${datasource}`) });
const query = z.strictObject({
  datasource: source,
  editorMode: z.literal("code"),
  expr: z.string().min(1),
  legendFormat: z.string(),
  refId: z.string().regex(/^[A-Z]$/),
  instant: z.boolean(),
  range: z.boolean(),
  format: z.literal("table").optional(),
});
const place = z.strictObject({ x: z.int(), y: z.int(), w: z.int(), h: z.int() });
const row = z.strictObject({
  id: z.int(),
  type: z.literal("row"),
  title: z.string(),
  collapsed: z.literal(false),
  gridPos: place,
  panels: z.array(z.never()),
});
const panel = z.strictObject({
  id: z.int(),
  type: z.enum(["stat", "timeseries", "table", "bargauge", "state-timeline"]),
  title: z.string().min(1),
  description: z.string().min(1),
  datasource: source,
  gridPos: place,
  fieldConfig: z.strictObject({
    defaults: z.looseObject({ unit: z.string() }),
    overrides: z.array(
      z.strictObject({
        matcher: z.strictObject({ id: z.enum(["byName", "byFrameRefID"]), options: z.string() }),
        properties: z.array(z.strictObject({ id: z.string(), value: z.unknown() })),
      }),
    ),
  }),
  options: z.looseObject({}),
  targets: z.array(query).min(1),
  transformations: z
    .array(z.strictObject({ id: z.literal("organize"), options: z.looseObject({}) }))
    .optional(),
});
const variable = z.looseObject({
  name: z.string(),
  label: z.string(),
  type: z.enum(["datasource", "query", "textbox"]),
  query: z.union([z.string(), z.looseObject({ query: z.string() })]),
});
const dashboardSchema = z.looseObject({
  uid: z.string().min(1).max(40),
  title: z.literal("keyturn"),
  schemaVersion: z.int(),
  panels: z.array(z.union([row, panel])),
  templating: z.strictObject({ list: z.array(variable) }),
  annotations: z.strictObject({ list: z.array(z.looseObject({ expr: z.string().optional() })) }),
});

/** The dashboard, in the shape that Grafana's classic model has. */
export async function readDashboard() {
  const { panels, templating, annotations, ...rest } = dashboardSchema.parse(
    JSON.parse(await readFile(FILE, "utf8")),
  );
  return {
    ...rest,
    rows: panels.flatMap((one) => (one.type === "row" ? [one] : [])),
    panels: panels.flatMap((one) => (one.type === "row" ? [] : [one])),
    variables: templating.list,
    annotations: annotations.list.flatMap(({ expr }) => expr ?? []),
  };
}

/** An expression as Grafana asks Prometheus with it: with every variable in it replaced. */
export function substitute(expression: string, values: Readonly<Record<string, string>>): string {
  return expression.replaceAll(/\$\{?([a-zA-Z_]\w*)(?::raw)?\}?/g, (_, name: string) => {
    const value = values[name];
    if (value === undefined) throw new Error(`there is no variable ${name}: ${expression}`);
    return value;
  });
}
