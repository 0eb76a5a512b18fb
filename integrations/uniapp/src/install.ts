// Where do the things that are needed come from, without a burden on every clone?
//
// uni-app and WeChat's packer are 500 MB together, so they are no part of the workspace. They are installed from
// lockfiles of their own into node_modules/.cache, once for each lockfile; the SDK is packed as it would be published
// and unpacked beside them, anew each time, so that the rules about names and places of files are really exercised.

import { createHash } from 'node:crypto';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { runProgram } from './program.ts';

const here = fileURLToPath(new URL('..', import.meta.url));
const root = fileURLToPath(new URL('../../..', import.meta.url));
const cache = join(root, 'node_modules/.cache/holdfast-uniapp');

/**
 * Installs what a lockfile says, unless that was done before.
 * @param folder of package.json and package-lock.json, in this integration
 * @returns the folder that has the node_modules
 */
export async function installLocked(folder: 'app' | 'wechat', log: (line: string) => void): Promise<string> {
  const from = join(here, folder);
  const files = ['package.json', 'package-lock.json'];
  const hash = createHash('sha256');
  for (const file of files) hash.update(readFileSync(join(from, file)));
  const place = join(cache, `${folder}-${hash.digest('hex').slice(0, 12)}`);
  const done = join(place, 'node_modules/.installed');
  if (existsSync(done)) {
    log(`${folder}: installed before`);
    return place;
  }
  const since = Date.now();
  rmSync(place, { recursive: true, force: true });
  mkdirSync(place, { recursive: true });
  for (const file of files) cpSync(join(from, file), join(place, file));
  await runProgram('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'], { cwd: place });
  writeFileSync(done, '');
  log(`${folder}: installed in ${Math.round((Date.now() - since) / 1000)} s`);
  return place;
}

/** uni-app with the SDK beside it, as an app would have them. @returns the folder that has the node_modules */
export async function installApp(log: (line: string) => void): Promise<string> {
  const place = await installLocked('app', log);
  const tarballs = await packPackages();
  try {
    await unpackInto(join(place, 'node_modules'), tarballs);
  } finally {
    rmSync(tarballs, { recursive: true });
  }
  log('the SDK is packed and unpacked');
  return place;
}

/** The packages that an app for uni-app gets, straight or as a dependency of one. */
const PACKAGES = ['core', 'browser', 'node', 'uniapp', 'holdfast'] as const;

/** Packs the SDK. @returns the folder with one tarball for each package, for the caller to remove */
async function packPackages(): Promise<string> {
  const out = mkdtempSync(join(tmpdir(), 'holdfast-pack-'));
  for (const name of PACKAGES) {
    const cwd = join(root, 'packages', name);
    if (!existsSync(join(cwd, 'dist'))) throw new Error(`packages/${name} is not built: run \`pnpm build\` first`);
    await runProgram('pnpm', ['pack', '--pack-destination', out], { cwd });
  }
  return out;
}

/** Unpacks the tarballs into `node_modules`, as npm does. */
async function unpackInto(nodeModules: string, tarballs: string): Promise<void> {
  rmSync(join(nodeModules, '@holdfast'), { recursive: true, force: true });
  for (const tarball of readdirSync(tarballs).filter((file) => file.endsWith('.tgz'))) {
    const place = join(nodeModules, `.unpacked-${tarball}`);
    rmSync(place, { recursive: true, force: true });
    mkdirSync(place, { recursive: true });
    await runProgram('tar', ['-xzf', join(tarballs, tarball), '--strip-components=1', '-C', place], { cwd: place });
    const { name } = JSON.parse(readFileSync(join(place, 'package.json'), 'utf8')) as { name: string };
    const target = join(nodeModules, name);
    rmSync(target, { recursive: true, force: true });
    cpSync(place, target, { recursive: true });
    rmSync(place, { recursive: true });
  }
}
