/** Runs the demo and draws what it printed, line by line and in its own time, as docs/demo.svg: `npm run picture`. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { fileURLToPath, URL } from "node:url";

const COLUMNS = 124;
/** Of the font that a viewer has: `textLength` fits each line to the columns of this picture. */
const CELL = { width: 7.8, height: 19 };
const MARGIN = 18;
const BAR = 30;
/** How long the whole stays before it begins again, in milliseconds. */
const REST_MS = 6_000;
const COLOURS = [
  [/(?<= {2})(rejected|rolled back)(?=:)/, "#e0af68"],
  [/(?<=, )0 failed$/, "#9ece6a"],
  [/^TIME .*$/, "#7aa2f7"],
];

const began = Date.now();
const lines = [{ text: "$ npm run demo", atMs: 0 }];
const words = ["dist/cli.js", "demo", "--rotations", "13", "--every", "0.7"];
const demo = spawn(process.execPath, words, { stdio: ["ignore", "pipe", "inherit"] });
const ended = once(demo, "close");
for await (const text of createInterface({ input: demo.stdout })) {
  lines.push({ text: shorten(text), atMs: Date.now() - began });
}
const [code] = await ended;
if (code !== 0) throw new Error(`the demo ended with ${code}`);
writeFileSync(fileURLToPath(new URL("../docs/demo.svg", import.meta.url)), draw(lines));

function shorten(text) {
  return text.length <= COLUMNS ? text : `${text.slice(0, COLUMNS - 1)}…`;
}

function draw(all) {
  const width = Math.ceil(COLUMNS * CELL.width + 2 * MARGIN);
  const height = Math.ceil(all.length * CELL.height + 2 * MARGIN + BAR);
  const totalMs = (all.at(-1)?.atMs ?? 0) + REST_MS;
  const dots = ["#f7768e", "#e0af68", "#9ece6a"].map(
    (fill, at) => `<circle cx="${MARGIN + 6 + at * 18}" cy="${BAR / 2 + 3}" r="5" fill="${fill}"/>`,
  );
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" role="img" aria-labelledby="title">
<title id="title">npm run demo: certificates turn under load, a bad one is rejected, one is rolled back, no request fails</title>
<style>
text { font: 13px ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace; fill: #c0caf5; white-space: pre; }
@media (prefers-reduced-motion: no-preference) { text { animation: ${totalMs}ms step-end infinite; } }
</style>
<rect width="${width}" height="${height}" rx="8" fill="#1a1b26"/>
${dots.join("")}
${all.map((line, at) => drawLine(line, at, totalMs)).join("\n")}
</svg>
`;
}

/** A line is hidden until it had been printed, in each round anew. */
function drawLine({ text, atMs }, at, totalMs) {
  if (text === "") return "";
  const y = BAR + MARGIN + (at + 0.7) * CELL.height;
  const fit = `textLength="${(text.length * CELL.width).toFixed(1)}" lengthAdjust="spacingAndGlyphs"`;
  const share = ((100 * atMs) / totalMs).toFixed(2);
  const frames = `<style>@keyframes line${at} { 0% { opacity: 0; } ${share}% { opacity: 1; } }</style>`;
  return `${frames}<text x="${MARGIN}" y="${y.toFixed(1)}" ${fit} style="animation-name: line${at}">${paint(text)}</text>`;
}

function paint(text) {
  const safe = text.replaceAll("&", "&amp;").replaceAll("<", "&lt;");
  return COLOURS.reduce(
    (so, [pattern, colour]) => so.replace(pattern, (word) => `<tspan fill="${colour}">${word}</tspan>`),
    safe,
  );
}
