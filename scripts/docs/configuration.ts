/** `docs/configuration.md`: every setting by group, made from the schema. */
import { describeSettings, type SettingSchema } from "../../src/config/json-schema.ts";
import { OVERRIDES } from "../../src/config/overrides.ts";

const HEAD = `# Configuration

<!-- Made from src/config/ by \`npm run docs\`: change it there. -->

keyturn reads \`keyturn.yaml\` in the working folder, else \`/etc/keyturn/keyturn.yaml\`; \`--config FILE\` or \`KEYTURN_CONFIG\` names
another. Flags win over \`KEYTURN_…\` variables, these over the file, the file over the defaults. Nothing has to be set.
\`keyturn check-config\` says what is in force, names every mistake with line and column, and warns of what is likely one.
\`SIGHUP\` and \`POST /-/reload\` read it again; a bad file is reported, and the old one stays in force.
The daemon logs these warnings when it starts, and when a new configuration is in force.

[deploy/keyturn.yaml](../deploy/keyturn.yaml) shows every setting in its place. Editors complete and check the file by its
JSON Schema, which comes with the package and is printed by \`keyturn check-config --schema\`. With \`yaml-language-server\` its
path is named in the first line:

\`\`\`yaml
# yaml-language-server: $schema=./keyturn.schema.json
\`\`\`

| type            | is written as                                                                                |
| --------------- | -------------------------------------------------------------------------------------------- |
| duration        | a number and \`ms\`, \`s\`, \`m\`, \`h\` or \`d\`: \`500ms\`, \`30s\`, \`12h\`                               |
| mode            | octal, in quotes: \`"0640"\`                                                                   |
| host:port       | \`127.0.0.1:9464\`, \`[::1]:9464\`, or \`:9464\` for every address                                 |
| address         | \`http://…\` or \`https://…\`, without a user or a password                                      |
| path            | of a file or folder; a relative one starts where keyturn was started                         |
| name or pattern | of bundles; \`*\` stands for any text, \`?\` for one character                                   |
| list            | \`[a, b]\`; in flags and variables separated by commas                                         |
`;

/** One row, before it is known which columns its table has. */
interface Row {
  readonly cells: readonly string[];
  /** Flag and variable; empty where there are none. */
  readonly names: string;
}

/** The page. */
export function configurationPage(): string {
  const groups = Object.entries(describeSettings().properties ?? {});
  const alone = groups.filter(([, schema]) => groupIn(schema) === undefined);
  const sections = groups.flatMap(([name, schema]) => sectionsOf(name, schema, 2));
  return [HEAD, table(alone.map(([name, schema]) => rowOf(name, name, schema, false))), ...sections].join(
    "\n",
  );
}

/** The settings that are in it, or in each of its items where it is a list. */
function groupIn({ properties, required, items }: SettingSchema): SettingSchema | undefined {
  if (properties === undefined) return items?.properties === undefined ? undefined : items;
  return Object.keys(properties).length > 0 ? { properties, required: required ?? [] } : undefined;
}

function sectionsOf(path: string, schema: SettingSchema, level: number): string[] {
  const group = groupIn(schema);
  if (group === undefined) return [];
  const inner = pathIn(path, schema);
  const children = Object.entries(group.properties ?? {});
  const rows = children.map(([name, child]) =>
    rowOf(`${inner}.${name}`, name, child, group.required?.includes(name) ?? false),
  );
  const isList = schema.items !== undefined;
  const meaning = `${sentence(schema.description ?? "")}${isList ? " A list; default: none." : ""}`;
  const section = [`${"#".repeat(level)} ${inner}`, "", meaning, "", table(rows)].join("\n");
  return [section, ...children.flatMap(([name, child]) => sectionsOf(`${inner}.${name}`, child, 3))];
}

function pathIn(path: string, { items }: SettingSchema): string {
  return items === undefined ? path : `${path}[]`;
}

function table(rows: readonly Row[]): string {
  const hasNames = rows.some(({ names }) => names !== "");
  const lines = [
    ["setting", "type", "default", "meaning", ...(hasNames ? ["flag, variable"] : [])],
    ["---", "---", "---", "---", ...(hasNames ? ["---"] : [])],
    ...rows.map(({ cells, names }) => [...cells, ...(hasNames ? [names] : [])]),
  ];
  return `${lines.map((cells) => `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`).join("\n")}\n`;
}

function rowOf(path: string, name: string, schema: SettingSchema, isRequired: boolean): Row {
  const override = OVERRIDES.find((one) => one.path.join(".") === path);
  const example = schema.sample === undefined ? [] : [`e.g. ${code(schema.sample)}`];
  const anchor = pathIn(path, schema)
    .toLowerCase()
    .replace(/[^a-z0-9-]/g, "");
  const cells = [
    groupIn(schema) === undefined ? `\`${name}\`` : `[\`${name}\`](#${anchor})`,
    typeOf(schema),
    isRequired ? "has to be set" : defaultOf(schema),
    [schema.description ?? "", ...example].join("; ").replaceAll(".; e.g.", "; e.g."),
  ];
  return { cells, names: override === undefined ? "" : `\`${override.flag}\` \`${override.variable}\`` };
}

function typeOf(schema: SettingSchema): string {
  const { type, title, minimum, maximum, items } = schema;
  if (schema.enum !== undefined) return schema.enum.map(code).join(", ");
  if (items !== undefined) return `list: ${typeOf(items)}`;
  if (type === "object") return "settings";
  if (type === "string") return title ?? "text";
  const range = minimum === undefined ? "" : `, ${minimum} to ${maximum}`;
  return `${type === "integer" ? "whole number" : type}${range}`;
}

function defaultOf(schema: SettingSchema): string {
  const { shownDefault, default: value } = schema;
  if (shownDefault !== undefined) return shownDefault;
  if (value === undefined || groupIn(schema) !== undefined) return "";
  return code(value);
}

/** As it stands in YAML; modes need their quotes. */
function code(value: unknown): string {
  if (Array.isArray(value)) return `\`[${value.map((item) => yamlOf(item)).join(", ")}]\``;
  return `\`${yamlOf(value)}\``;
}

function yamlOf(value: unknown): string {
  const text = String(value);
  return typeof value === "string" && /^(?:0\d+|[\d.]+|.*[*].*)$/.test(text) ? JSON.stringify(text) : text;
}

function sentence(text: string): string {
  const begun = text.charAt(0).toUpperCase() + text.slice(1);
  return /[.]$/.test(begun) ? begun : `${begun}.`;
}
