// Is what is published fit for the hosts that it is for?

import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parse, type AnyNode } from 'acorn';
import ts from 'typescript';
import { beforeAll, describe, expect, it } from 'vitest';
import { bundle } from './support/realm.ts';

const folder = fileURLToPath(new URL('..', import.meta.url));
const manifest = JSON.parse(readFileSync(`${folder}package.json`, 'utf8')) as {
  readonly main: string;
  readonly module: string;
  readonly exports: object;
};

const built: Record<string, string> = {};
beforeAll(async () => {
  for (const entry of ['@holdfast/uniapp', '@holdfast/uniapp/websocket']) {
    built[`${entry} (all)`] = await bundle(`export * from '${entry}'`, { target: 'es2015' });
    built[`${entry} (esm)`] = await bundle(`export * from '${entry}'`, {
      target: 'es2015',
      format: 'esm',
      external: ['base64-arraybuffer', 'eventemitter3'],
    });
  }
});

describe('the built files', () => {
  it('U42: are ES2015 syntax, without an async function or a generator', () => {
    expect(Object.keys(built).length).toBe(4);
    for (const [name, code] of Object.entries(built)) {
      const program = parse(code, { ecmaVersion: 2015, sourceType: name.includes('esm') ? 'module' : 'script' });
      expect([name, generatorsIn(program)]).toEqual([name, 0]);
    }
  });

  it('U2: hold the very text uni.connectSocket, and uni under no other form than uni.member', () => {
    const code = built['@holdfast/uniapp (esm)']!;
    expect(code).toContain('uni.connectSocket(');
    const rest = code.replace(/\/\/.*|\/\*[^]*?\*\/|(["'`])(?:\\.|(?!\1).)*\1/g, '');
    const uses = [...rest.matchAll(/(typeof )?(?<![\w.$])uni\b(\.\w+)?/g)];
    expect(uses.length).toBeGreaterThan(8);
    expect(uses.filter(([, isTypeof, member]) => !isTypeof && !member)).toEqual([]);
  });

  it('U42: have no conditional compilation in them, and make no code of strings', () => {
    for (const code of Object.values(built)) {
      expect(code).not.toMatch(/#ifn?def|#endif/);
      expect(code).not.toMatch(/\beval\(|new Function\b/);
      expect(code).not.toMatch(
        /\.connectSocket\b(?=.*\bsendSocketMessage\()|uni\.(?:closeSocket|onSocket\w+|sendSocketMessage)/,
      );
    }
  });

  it('U42: are .js and .mjs, and lie in no folder that a build of uni-app leaves alone', () => {
    const paths = [manifest.main, manifest.module, ...JSON.stringify(manifest.exports).match(/\.\/dist[^"]*/g)!];
    expect(paths.filter((path) => !/^\.\/dist\/[a-z]+\.(?:m?js|d\.m?ts)$/.test(path))).toEqual([]);
  });

  it('U43: declare nothing globally, need no types of a platform, and import none', () => {
    const declarations = declarationsOf([`${folder}src/index.ts`, `${folder}src/websocket.ts`]);
    expect(Object.keys(declarations).length).toBeGreaterThan(5);
    for (const text of Object.values(declarations)) {
      expect(text).not.toMatch(/declare global|@dcloudio|miniprogram-api-typings|<reference/);
      expect(text).not.toMatch(/\b(?:HTMLElement|Window|Document|MessageEvent|CloseEventInit|Buffer)\b/);
    }
    // and they compile with ES2015 alone
    const host = ts.createCompilerHost({});
    const options: ts.CompilerOptions = {
      lib: ['lib.es2015.d.ts', 'lib.es2018.asynciterable.d.ts'],
      types: [],
      strict: true,
      noEmit: true,
      allowImportingTsExtensions: true,
      module: ts.ModuleKind.ESNext,
      moduleResolution: ts.ModuleResolutionKind.Bundler,
      paths: {
        '@holdfast/core': [`${folder}../core/src/index.ts`],
        '@holdfast/core/websocket': [`${folder}../core/src/websocket.ts`],
      },
    };
    const program = ts.createProgram([`${folder}src/index.ts`, `${folder}src/websocket.ts`], options, host);
    const faults = ts
      .getPreEmitDiagnostics(program)
      .map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, '\n'));
    expect(faults).toEqual([]);
  });
});

function declarationsOf(roots: readonly string[]): Record<string, string> {
  const declarations: Record<string, string> = {};
  const program = ts.createProgram([...roots], {
    declaration: true,
    emitDeclarationOnly: true,
    allowImportingTsExtensions: true,
    lib: ['lib.es2015.d.ts', 'lib.es2018.asynciterable.d.ts'],
    types: [],
    strict: true,
    module: ts.ModuleKind.ESNext,
    moduleResolution: ts.ModuleResolutionKind.Bundler,
    paths: {
      '@holdfast/core': [`${folder}../core/src/index.ts`],
      '@holdfast/core/websocket': [`${folder}../core/src/websocket.ts`],
    },
  });
  program.emit(undefined, (name, text) => {
    if (name.includes('uniapp')) declarations[name] = text;
  });
  return declarations;
}

function generatorsIn(node: AnyNode): number {
  let count = 'generator' in node && node.generator ? 1 : 0;
  for (const child of Object.values(node) as unknown[]) {
    for (const part of Array.isArray(child) ? (child as unknown[]) : [child]) {
      if (typeof part === 'object' && part !== null && 'type' in part) count += generatorsIn(part as AnyNode);
    }
  }
  return count;
}
