// How do sources become ES2015 that needs no later library?
//
// esbuild lowers `{ ...a, b }` to a helper that calls Object.getOwnPropertyDescriptors, which is ES2017 and missing in
// the barest of our hosts. TypeScript lowers it to Object.assign, so it goes first; esbuild does the rest.
import { readFileSync } from 'node:fs';
import ts from 'typescript';
import type { Plugin } from 'esbuild';

export function loweredByTypeScript(): Plugin {
  const compilerOptions: ts.CompilerOptions = {
    target: ts.ScriptTarget.ES2015,
    module: ts.ModuleKind.ESNext,
    verbatimModuleSyntax: true,
    useDefineForClassFields: false,
    inlineSourceMap: true,
    inlineSources: true,
  };
  return {
    name: 'lowered-by-typescript',
    setup(build) {
      build.onLoad({ filter: /\.ts$/ }, ({ path }) => ({
        contents: ts.transpileModule(readFileSync(path, 'utf8'), { fileName: path, compilerOptions }).outputText,
        loader: 'js',
      }));
    },
  };
}
