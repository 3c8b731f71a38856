// Where the packages are: a folder of the build that has node_modules beside a link to these sources, so that
// nothing is installed into the tree and both esbuild and tsc find everything by walking up.
import {existsSync, lstatSync, mkdirSync, readlinkSync, symlinkSync, unlinkSync} from 'node:fs';
import {createRequire} from 'node:module';
import {dirname, join, resolve} from 'node:path';
import {fileURLToPath} from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));

// The folder that install.sh was given; without one build/page of this tree.
export function modulesFolder(argument) {
  const folder = argument ? resolve(argument) : resolve(here, '../../../build/page');
  if (!existsSync(join(folder, 'node_modules'))) {
    console.error(`page: there is no ${join(folder, 'node_modules')}; install package-lock.json there first`);
    process.exit(1);
  }
  return folder;
}

// The sources as seen from folder.
export function linkedSources(folder) {
  const link = join(folder, 'web');
  const points = () => {
    try {
      return lstatSync(link).isSymbolicLink() ? readlinkSync(link) : null;
    } catch {
      return null;
    }
  };
  if (points() === here) return link;
  mkdirSync(folder, {recursive: true});
  if (points() !== null) unlinkSync(link);
  try {
    symlinkSync(here, link);
  } catch (error) {
    if (points() !== here) throw error; // another build of the same tree was faster
  }
  return link;
}

export const packageOf = (folder, name) => createRequire(join(folder, 'package.json'))(name);
