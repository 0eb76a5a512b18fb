// How do our sources become one script that an engine can run?

import { fileURLToPath } from 'node:url';
import { build, type Plugin } from 'esbuild';
import { loweredByTypeScript } from '../es2015.ts';

const root = (path: string): string => fileURLToPath(new URL(`../../${path}`, import.meta.url));
const OURS: Readonly<Record<string, string>> = {
  '@holdfast/core': root('packages/core/src/index.ts'),
  '@holdfast/testing': root('tools/engines/inside/testing.ts'), // the rest of it needs Node
  '@holdfast/uniapp': root('packages/uniapp/src/index.ts'),
};

const fromSources: Plugin = {
  name: 'from-sources',
  setup({ onResolve }) {
    onResolve({ filter: /^@holdfast\// }, ({ path }) => ({ path: OURS[path]! }));
  },
};

/**
 * The worlds and the scenarios as ES2015, as the packages are published, in one script. The adapter is in it as a
 * function that makes a new copy at each call.
 */
export async function bundleScript(worlds: number): Promise<string> {
  const uniapp = await iife(OURS['@holdfast/uniapp']!, 'Uniapp');
  const main = await iife(root('tools/engines/inside/main.ts'));
  return `var HOLDFAST_WORLDS = ${worlds};\nfunction loadUniapp() {\n${uniapp}\nreturn Uniapp;\n}\n${main}`;
}

async function iife(entry: string, globalName?: string): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [entry],
    bundle: true,
    write: false,
    format: 'iife',
    target: 'es2015',
    platform: 'neutral',
    mainFields: ['module', 'main'],
    conditions: ['import'],
    charset: 'ascii',
    plugins: [fromSources, loweredByTypeScript()],
    ...(globalName === undefined ? {} : { globalName }),
  });
  return outputFiles[0]!.text;
}
