// How large is it for a consumer? Minified ESM as a bundler makes it, gzipped, against a limit: the measured size plus 5 %.
import { brotliCompressSync, gzipSync } from 'node:zlib';
import { build } from 'esbuild';
import { fileURLToPath } from 'node:url';

/**
 * What the consumer writes, for which language level, and the bytes of gzip that were measured when the limit was set. With
 * a budget of its own instead, a part is measured without core.
 */
const entries = [
  ['core', `export { createClient } from '@holdfast/core'`, 'es2015', 16_100],
  ['browser', `export { connect } from '@holdfast/browser'`, 'es2018', 17_290],
  ['holdfast', `export { connect } from 'holdfast'`, 'es2018', 20_130],
  ['uniapp', `export { connect } from '@holdfast/uniapp'`, 'es2015', 19_270],
  ['uniapp/websocket', `export { createWebSocketClass } from '@holdfast/uniapp/websocket'`, 'es2015', 21_520],
  ['core/websocket', `export { createWebSocketClass } from '@holdfast/core/websocket'`, 'es2015', 18_390],
  ['session', `export { session } from '@holdfast/session'`, 'es2015', undefined, 3_500],
];

const source = (name) => fileURLToPath(new URL(`../packages/${name}.ts`, import.meta.url));
let over = 0;
for (const [name, contents, target, measured, budget] of entries) {
  const { outputFiles, metafile } = await build({
    stdin: { contents, resolveDir: fileURLToPath(new URL('../packages/core', import.meta.url)) },
    alias: {
      '@holdfast/core/websocket': source('core/src/websocket'),
      ...(budget ? {} : { '@holdfast/core': source('core/src/index') }),
      '@holdfast/session': source('session/src/index'),
      '@holdfast/browser': source('browser/src/index'),
      '@holdfast/uniapp/websocket': source('uniapp/src/websocket'),
      '@holdfast/uniapp': source('uniapp/src/index'),
      holdfast: source('holdfast/src/index'),
    },
    external: budget ? ['@holdfast/core'] : [],
    bundle: true,
    minify: true,
    format: 'esm',
    target,
    write: false,
    metafile: true,
  });
  const bytes = outputFiles[0].contents;
  const gzip = gzipSync(bytes, { level: 9 }).length;
  const limit = budget ?? Math.round(measured * 1.05);
  const faults = [
    ...(gzip > limit ? [`over its limit of ${limit}`] : []),
    ...Object.keys(metafile.inputs).filter((file) => /node_modules\/ws\//.test(file)),
  ];
  if (faults.length > 0) over++;
  const brotli = brotliCompressSync(bytes).length;
  const verdict = faults.map((fault) => `  ${fault}`).join('');
  console.log(
    `${name} (${target}): ${bytes.length} B minified, ${gzip} B gzip (limit ${limit}), ${brotli} B brotli${verdict}`,
  );
}
process.exit(over ? 1 : 0);
