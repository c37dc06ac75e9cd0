// Builds the page into the folder that is given: index.html, scripts, styles, and the licenses of what is in them; and the
// pages for browsers that are not signed in, which have no scripts. The names of all files but the pages have hashes of their content; the same sources and lock file give the same bytes.

import { build } from "esbuild";
import { createHash } from "node:crypto";
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { basename, dirname, join, parse } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const out = process.argv[2] ?? join(here, "../src/generated/page");

await rm(out, { recursive: true, force: true });
await mkdir(out, { recursive: true });

const built = await build({
  absWorkingDir: here,
  entryPoints: ["src/main.tsx", "src/sign-in/sign-in.css"],
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
const outputOf = (source) => outputs.find(([, output]) => output.entryPoint === source);
const [script, { imports }] = outputOf("src/main.tsx");
const [style] = outputOf("src/sign-in/sign-in.css");
// Styles of chunks are loaded at once: a chunk does not load its own.
const styles = outputs.map(([path]) => path).filter((path) => path.endsWith(".css") && path !== style);

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

/** Writes a file under a name with the hash of its content, and returns its address. */
async function write(name, content) {
  const hash = createHash("sha256").update(content).digest("hex").slice(0, 8).toUpperCase();
  const { name: stem, ext } = parse(name);
  const file = `${stem}-${hash}${ext}`;
  await writeFile(join(out, file), content);
  return `/assets/${file}`;
}

const addresses = {
  icon: await write("icon.svg", await readFile(join(here, "src/icon.svg"))),
  licenses: await write("licenses.txt", licenses.join(`\n${"-".repeat(72)}\n\n`)),
  script: `/assets/${basename(script)}`,
  style: `/assets/${basename(style)}`,
};
const links = styles.sort().map((path) => `<link rel="stylesheet" href="/assets/${basename(path)}">`);
links.push(
  ...imports
    .filter(({ kind }) => kind === "import-statement")
    .map(({ path }) => `<link rel="modulepreload" href="/assets/${basename(path)}">`),
);

/** Fills in a source in HTML: addresses, and other parts by their names. */
async function filled(source, parts = {}) {
  const text = await readFile(join(here, "src", source), "utf8");
  return text.trim().replace(/\{\{(\w+)\}\}\n?/g, (found, name) => {
    const part = parts[name];
    if (part === undefined) return found.replace(`{{${name}}}`, addresses[name]);
    return part === "" ? "" : `${part}\n`;
  });
}

await writeFile(join(out, "index.html"), `${await filled("index.html", { links: links.join("\n") })}\n`);
const problem = await filled("sign-in/problem.html");
for (const [name, content] of [
  ["sign-in.html", await filled("sign-in/form.html", { problem: "" })],
  ["wrong-token.html", await filled("sign-in/form.html", { problem })],
  ["no-user.html", await filled("sign-in/no-user.html")],
]) {
  await writeFile(join(out, name), `${await filled("sign-in/page.html", { content })}\n`);
}
