// Where do the engines come from, without a burden on every clone?
//
// Together they weigh 200 MB, so they are no part of the workspace: what npm has is installed from a lockfile of its own
// into node_modules/.cache, once for each lockfile; JavaScriptCore's shell is a package of Debian and Ubuntu.

import { createHash } from 'node:crypto';
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ProgramFailed, runProgram } from './program.ts';

const from = fileURLToPath(new URL('runtimes', import.meta.url));
const cache = fileURLToPath(new URL('../../node_modules/.cache/engines', import.meta.url));

/** As Debian 12 has it, and as newer releases do. */
const JSC_PACKAGES = ['libjavascriptcoregtk-4.0-bin', 'libjavascriptcoregtk-bin'];
const MINUTES = 60_000;

/** Installs what the lockfile says, unless that was done before. @returns the folder that has the node_modules */
export async function installRuntimes(log: (line: string) => void): Promise<string> {
  const files = ['package.json', 'package-lock.json'];
  const hash = createHash('sha256');
  for (const file of files) hash.update(readFileSync(join(from, file)));
  const place = join(cache, hash.digest('hex').slice(0, 12));
  const done = join(place, 'node_modules/.installed');
  if (existsSync(done)) return place;
  log('installing QuickJS, Hermes and swc, 150 MB');
  rmSync(place, { recursive: true, force: true });
  mkdirSync(place, { recursive: true });
  for (const file of files) cpSync(join(from, file), join(place, file));
  const flags = ['--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'];
  await runProgram('npm', ['ci', ...flags], { cwd: place, timeout: 10 * MINUTES });
  writeFileSync(done, '');
  return place;
}

/** @returns the command. @throws saying what to do, if there is none and none can be installed */
export async function installJsc(log: (line: string) => void): Promise<string> {
  if (await works('jsc')) return 'jsc';
  log('installing JavaScriptCore by apt-get');
  const tried = [await aptGet('update')]; // a fresh machine has no lists
  for (const name of JSC_PACKAGES) {
    tried.push(await aptGet('install', '-y', '--no-install-recommends', name));
    if (await works('jsc')) return 'jsc';
  }
  const what = 'there is no jsc, the shell of JavaScriptCore, and apt-get could not install it';
  throw new Error(`${what}; install ${JSC_PACKAGES.join(' or ')} as root:\n${tried.join('\n')}`);
}

/** @returns what became of it, in a line */
async function aptGet(...args: readonly string[]): Promise<string> {
  try {
    await runProgram('apt-get', args, { timeout: 10 * MINUTES });
    return `apt-get ${args.join(' ')}: done`;
  } catch (error) {
    return `apt-get ${args.join(' ')}: ${error instanceof ProgramFailed ? error.lastLine : String(error)}`;
  }
}

async function works(command: string): Promise<boolean> {
  try {
    return (await runProgram(command, ['-e', 'print(6 * 7)'], { timeout: MINUTES })).trim() === '42';
  } catch {
    return false;
  }
}
