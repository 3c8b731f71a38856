// Builds the page: node build.mjs OUT [FOLDER]
//
// FOLDER has the packages of package-lock.json in node_modules. OUT gets what rollwatchd embeds: index.html (a template: the
// server fills <!--title-->, <!--main--> and <!--boot-->), app-HASH.js, app-HASH.css, each compressed beside it, and
// manifest.txt, which names the three. Fails if they come to more than fits the budget.
import {mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import {basename, join, resolve} from 'node:path';
import {gzipSync} from 'node:zlib';

import {linkedSources, modulesFolder, packageOf} from './modules.mjs';
import {trimUplot} from './trim.mjs';

const kBudget = 60_000; // bytes, compressed, of everything a browser loads
const notice = '/*! Rollwatch. Contains preact (MIT, (c) Jason Miller) and uPlot (MIT, (c) Leon Sorokin) */';

if (!process.argv[2]) {
  console.error('usage: node build.mjs OUT [FOLDER]');
  process.exit(64);
}
const out = resolve(process.argv[2]);
const folder = modulesFolder(process.argv[3]);
const sources = linkedSources(folder);
const esbuild = packageOf(folder, 'esbuild');

mkdirSync(out, {recursive: true});
for (const file of readdirSync(out)) {
  if (/^(app-.*|index\.html(\.gz)?|manifest\.txt)$/.test(file)) rmSync(join(out, file));
}

const built = await esbuild.build({
  entryPoints: {app: join(sources, 'src/main.tsx')},
  outdir: out,
  entryNames: '[name]-[hash]',
  bundle: true,
  minify: true,
  format: 'esm',
  target: ['es2022'],
  jsx: 'transform', // tsc sees the automatic runtime; this one is smaller
  jsxFactory: 'h',
  jsxFragment: 'Fragment',
  inject: [join(sources, 'jsx.mjs')],
  plugins: [trimUplot],
  tsconfigRaw: {},
  preserveSymlinks: true,
  legalComments: 'none',
  banner: {js: notice, css: notice},
  metafile: true,
  logLevel: 'warning',
});
const names = Object.keys(built.metafile.outputs).map((path) => basename(path));
const script = names.find((name) => name.endsWith('.js'));
const style = names.find((name) => name.endsWith('.css'));
if (!script || !style) throw new Error(`page: a script and a style sheet were expected, not ${names}`);

const template = readFileSync(join(sources, 'index.html'), 'utf8');
writeFileSync(join(out, 'index.html'), template.replace('{{script}}', `/assets/${script}`).replace('{{style}}', `/assets/${style}`));

let total = 0;
for (const file of ['index.html', script, style]) {
  const text = readFileSync(join(out, file));
  const compressed = gzipSync(text, {level: 9});
  writeFileSync(join(out, `${file}.gz`), compressed);
  total += compressed.length;
  console.log(`${file}: ${text.length} bytes, ${compressed.length} compressed`);
}
writeFileSync(join(out, 'manifest.txt'), `index.html\n${script}\n${style}\n`);
console.log(`page: ${total} of ${kBudget} bytes compressed`);
if (total > kBudget) {
  console.error(`page: ${total - kBudget} bytes over the budget`);
  process.exit(1);
}
