// Which engines are there, and how does each run a script?

import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { installJsc } from './install.ts';

/** A program and its arguments, to which the script's file is added. */
export type Command = readonly [string, ...string[]];

export interface Engine {
  readonly name: string;
  /** What the engine reads: what we publish, or what the tools of its hosts make of that. */
  readonly language: 'ES2015' | 'ES5';
  /** Why its worlds may go another way than those in Node, keeping every promise all the same. */
  readonly otherLives?: string;
  /** @param place the folder that has the node_modules of the runtimes */
  command(place: string, log: (line: string) => void): Promise<Command> | Command;
}

/** Node goes first: the others have to live the same lives. */
export const ENGINES: readonly Engine[] = [
  { name: 'Node', language: 'ES2015', command: () => [process.execPath] },
  {
    // what runs in WeChat, in uni-app's App and in every WebView on iOS
    name: 'JavaScriptCore',
    language: 'ES2015',
    command: async (_, log) => [await installJsc(log)],
  },
  {
    name: 'QuickJS',
    language: 'ES2015',
    command: (place) => [process.execPath, fileURLToPath(new URL('quickjs.mjs', import.meta.url)), place],
  },
  {
    // React Native's of this generation knows no classes; its bundler lowers them. With a Promise that keeps to the
    // letter of ECMA-262 put in the place of its own, its lives are Node's to the last one (tried once, by hand).
    name: 'Hermes',
    language: 'ES5',
    otherLives:
      'its Promise takes over the state of another in one turn, where ECMA-262 (NewPromiseResolveThenableJob) has three',
    command: (place) => [join(place, 'node_modules/hermes-engine-cli', hermesFolder(), 'hermes'), '-Xmicrotask-queue'],
  },
];

/** @returns the same script in ES5, by swc */
export function lowerToES5(script: string, place: string): string {
  const swc = createRequire(join(place, 'package.json'))('@swc/core') as {
    transformSync(source: string, options: object): { readonly code: string };
  };
  const jsc = { target: 'es5', parser: { syntax: 'ecmascript' } };
  return swc.transformSync(script, { jsc, isModule: false, swcrc: false, configFile: false }).code;
}

function hermesFolder(): string {
  const folders: Readonly<Record<string, string>> = {
    'linux x64': 'linux64-bin',
    'darwin x64': 'osx-bin',
    'darwin arm64': 'osx-bin',
  };
  const machine = `${process.platform} ${process.arch}`;
  const folder = folders[machine];
  if (folder === undefined) throw new Error(`there is no Hermes for ${machine}, only for ${Object.keys(folders).join(', ')}`); // prettier-ignore
  return folder;
}
