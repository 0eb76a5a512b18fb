// A realm as a mini-program has it: JavaScript, timers, `wx`, and strings that are never code.

import { fileURLToPath } from 'node:url';
import { createContext, runInContext } from 'node:vm';
import { build, type Plugin } from 'esbuild';
import { loweredByTypeScript } from '../../../../tools/es2015.ts';
import { createWx, type Wx } from './wx.ts';

const root = (path: string): string => fileURLToPath(new URL(`../../../../${path}`, import.meta.url));
const OURS: Readonly<Record<string, string>> = {
  '@holdfast/core': root('packages/core/src/index.ts'),
  '@holdfast/core/websocket': root('packages/core/src/websocket.ts'),
  '@holdfast/uniapp': root('packages/uniapp/src/index.ts'),
  '@holdfast/uniapp/websocket': root('packages/uniapp/src/websocket.ts'),
  '@holdfast/testing/conformance': root('packages/testing/src/conformance.ts'),
};

const fromSources: Plugin = {
  name: 'from-sources',
  setup({ onResolve }) {
    onResolve({ filter: /^@holdfast\// }, ({ path }) => ({ path: OURS[path]! }));
  },
};

export interface BundleOptions {
  readonly target?: string;
  readonly format?: 'cjs' | 'esm';
  readonly external?: readonly string[];
}

/** What `source` exports, with all that it imports: ours as it is built for publishing, anybody else's as it is. */
export async function bundle(source: string, options: BundleOptions = {}): Promise<string> {
  const { target = 'es2018', format = 'cjs', external = [] } = options;
  const { outputFiles } = await build({
    stdin: { contents: source, resolveDir: root('packages/uniapp') },
    bundle: true,
    write: false,
    format,
    target,
    platform: 'neutral',
    mainFields: ['module', 'main'],
    conditions: ['import', 'browser'],
    external: [...external],
    plugins: [fromSources, loweredByTypeScript()],
  });
  return outputFiles[0]!.text;
}

export interface Realm {
  readonly wx: Wx;
  /** Loads a bundle, and returns what it exports. */
  load<Exports>(code: string): Exports;
  run(script: string): unknown;
}

export function createRealm(): Realm {
  const context = createContext(
    { setTimeout, clearTimeout, setInterval, clearInterval },
    { codeGeneration: { strings: false, wasm: false } },
  );
  const run = (script: string): unknown => runInContext(script, context) as unknown;
  const wx = createWx(run('(function (bytes) { return new ArrayBuffer(bytes); })') as (bytes: number) => ArrayBuffer);
  Object.assign(context, { wx });
  return {
    wx,
    run,
    load: <Exports>(code: string) =>
      run(
        `(function () { var module = { exports: {} }, exports = module.exports; ${code}\nreturn module.exports; })()`,
      ) as Exports,
  };
}
