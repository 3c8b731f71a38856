// Runs the page's unit tests, test/**/*.test.ts(x): node test.mjs [FOLDER]
import {spawnSync} from 'node:child_process';
import {readdirSync, rmSync} from 'node:fs';
import {join} from 'node:path';
import {linkedSources, modulesFolder, packageOf} from './modules.mjs';

const folder = modulesFolder(process.argv[2]);
const sources = linkedSources(folder);
const entryPoints = readdirSync(join(sources, 'test'), {recursive: true})
  .filter((file) => /\.test\.tsx?$/.test(file))
  .map((file) => join(sources, 'test', file));
if (entryPoints.length === 0) {
  console.error('page: there are no tests');
  process.exit(1);
}

const outdir = join(folder, `tests-${process.pid}`); // two runs at once
try {
  await packageOf(folder, 'esbuild').build({
    entryPoints,
    outdir,
    outbase: join(sources, 'test'),
    outExtension: {'.js': '.mjs'},
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: ['node20'],
    jsx: 'automatic',
    jsxImportSource: 'preact',
    tsconfigRaw: {},
    preserveSymlinks: true,
    loader: {'.css': 'empty'},
    sourcemap: 'inline',
    logLevel: 'warning',
  });
  const files = readdirSync(outdir, {recursive: true})
    .filter((file) => file.endsWith('.test.mjs'))
    .map((file) => join(outdir, file));
  process.exitCode = spawnSync(process.execPath, ['--enable-source-maps', '--test', ...files], {stdio: 'inherit'}).status ?? 1;
} finally {
  rmSync(outdir, {recursive: true, force: true});
}
