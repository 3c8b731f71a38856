// Runs the page's unit tests, test/**/*.test.ts(x): node test.mjs [FOLDER]
import {spawnSync} from 'node:child_process';
import {readdirSync, rmSync} from 'node:fs';
import {join} from 'node:path';
import {linkedSources, modulesFolder, packageOf} from './modules.mjs';

const folder = modulesFolder(process.argv[2]);
const sources = linkedSources(folder);
const tests = readdirSync(join(sources, 'test'), {recursive: true})
  .filter((file) => /\.test\.tsx?$/.test(file))
  .sort();
if (tests.length === 0) {
  console.error('page: there are no tests');
  process.exit(1);
}

const outdir = join(folder, `tests-${process.pid}`); // two runs at once
try {
  await packageOf(folder, 'esbuild').build({
    // One bundle, for one process: starting a dozen takes longer than all they do.
    stdin: {contents: tests.map((file) => `import './${file.replaceAll('\\', '/')}';`).join('\n'), resolveDir: join(sources, 'test')},
    outfile: join(outdir, 'page.test.mjs'),
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
  const run = spawnSync(process.execPath, ['--enable-source-maps', '--test', '--test-reporter=spec', join(outdir, 'page.test.mjs')], {stdio: 'inherit'});
  process.exitCode = run.status ?? 1;
} finally {
  rmSync(outdir, {recursive: true, force: true});
}
