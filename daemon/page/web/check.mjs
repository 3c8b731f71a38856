// Type-checks the page and its tests: node check.mjs [FOLDER]
import {spawnSync} from 'node:child_process';
import {join} from 'node:path';
import {linkedSources, modulesFolder} from './modules.mjs';

const folder = modulesFolder(process.argv[2]);
const sources = linkedSources(folder);
const tsc = join(folder, 'node_modules/.bin/tsc');
process.exitCode = spawnSync(tsc, ['--project', join(sources, 'tsconfig.json')], {stdio: 'inherit'}).status ?? 1;
