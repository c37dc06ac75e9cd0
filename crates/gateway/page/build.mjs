// Builds the page into the folder that is given: index.html, scripts, styles, and the licenses of what they contain.
// The names of scripts and styles have hashes of their content; the same sources and lock file give the same bytes.

import { build } from "esbuild";
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const out = process.argv[2] ?? join(here, "../src/generated/page");

await rm(out, { recursive: true, force: true });
await mkdir(out, { recursive: true });

const built = await build({
  absWorkingDir: here,
  entryPoints: ["src/main.tsx"],
  outdir: out,
  bundle: true,
  splitting: true,
  format: "esm",
  target: "es2022",
  jsx: "automatic",
  jsxImportSource: "preact",
  minify: true,
  charset: "utf8",
  legalComments: "none",
  entryNames: "[name]-[hash]",
  chunkNames: "[name]-[hash]",
  assetNames: "[name]-[hash]",
  metafile: true,
  logLevel: "warning",
});

const outputs = Object.entries(built.metafile.outputs);
const [script, { cssBundle }] = outputs.find(([, output]) => output.entryPoint === "src/main.tsx");
const index = (await readFile(join(here, "src/index.html"), "utf8"))
  .replace("{{script}}", `/assets/${basename(script)}`)
  .replace("{{style}}", `/assets/${basename(cssBundle)}`);
await writeFile(join(out, "index.html"), index);
await writeFile(join(out, "icon.svg"), await readFile(join(here, "src/icon.svg")));

// The licenses of these packages ask to be with every copy.
const packages = new Set();
for (const [, { inputs }] of outputs) {
  for (const input of Object.keys(inputs)) {
    const found = /node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(input);
    if (found) packages.add(found[1]);
  }
}
const licenses = [];
for (const name of [...packages].sort()) {
  const text = await readFile(join(here, "node_modules", name, "LICENSE"), "utf8");
  licenses.push(`${name}\n\n${text.trim()}\n`);
}
await writeFile(join(out, "licenses.txt"), licenses.join(`\n${"-".repeat(72)}\n\n`));
