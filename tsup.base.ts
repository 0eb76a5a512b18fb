// How every package is built: ESM as .mjs, CommonJS as .js (WeChat's npm build knows no .cjs), declarations for both.
import { defineConfig, type Options } from 'tsup';

export const base = (options: Options = {}) =>
  defineConfig({
    entry: ['src/index.ts'],
    format: ['esm', 'cjs'],
    target: 'es2018',
    // tsup 8 sets baseUrl, which TypeScript 6 deprecates, and rolls up one file at a time, which `composite` forbids
    dts: { compilerOptions: { ignoreDeprecations: '6.0', composite: false } },
    sourcemap: true,
    clean: true,
    treeshake: true,
    splitting: false,
    outDir: 'dist',
    ...options,
  });
