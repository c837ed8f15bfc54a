// Bundle Vega into one script for the page, and the licences of what is in it: `make vega`.
// Usage: node build.js [folder], by default the page's own.
import { readFileSync, readdirSync, writeFileSync } from "node:fs";
import { build } from "esbuild";

const folder = process.argv[2] ?? "../../pipeline/report/page";
const read = (path) => readFileSync(path, "utf8");
const { devDependencies: versions } = JSON.parse(read("package.json"));

const { outputFiles, metafile } = await build({
  entryPoints: ["entry.js"],
  bundle: true,
  minify: true,
  format: "iife",
  globalName: "vega",
  target: "es2020",
  alias: { vega: "vega-util" }, // the functions that Vega-Lite takes from vega are vega-util's
  legalComments: "none",
  metafile: true,
  write: false,
  outdir: ".",
});
const script = outputFiles[0].text;
const ending = script.match(/<\/script|<!--/i);
if (ending) throw new Error(`vega.js: contains ${ending[0]}, which would end a script element`);

const packages = Object.entries(Object.values(metafile.outputs)[0].inputs)
  .filter(([, input]) => input.bytesInOutput > 0)
  .map(([path]) => path.match(/^node_modules\/[^/]+/)?.[0])
  .filter(Boolean);
const owners = new Map(); // text of a licence -> packages under it
const licences = new Set();
for (const path of [...new Set(packages)].sort()) {
  const { name, version, license } = JSON.parse(read(`${path}/package.json`));
  const file = readdirSync(path).find((entry) => /^licen[cs]e/i.test(entry));
  if (!file) throw new Error(`${name}: has no licence file`);
  const text = read(`${path}/${file}`).trim();
  owners.set(text, [...(owners.get(text) ?? []), `${name} ${version} (${license})`]);
  licences.add(license);
}

const names = Object.keys(versions).sort().map((name) => `${name} ${versions[name]}`);
const header = `/*! Built by tools/vega: ${names.join(", ")}.
 * Vega and Vega-Lite: copyright University of Washington Interactive Data Lab and contributors.
 * D3: copyright Mike Bostock. Licences (${[...licences].sort().join(", ")}): vega.LICENSES. */
`;
const texts = [...owners].map(([text, users]) => `${users.join("\n")}\n\n${text}\n`);
writeFileSync(`${folder}/vega.js`, header + script);
writeFileSync(`${folder}/vega.LICENSES`, texts.join(`\n${"-".repeat(72)}\n\n`));
