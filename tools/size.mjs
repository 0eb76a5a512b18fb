// How large is it for a consumer? Minified ESM as a bundler makes it, gzipped, against a limit: the measured size plus 5 %.
import { brotliCompressSync, gzipSync } from 'node:zlib';
import { build } from 'esbuild';
import { fileURLToPath } from 'node:url';

/** name, what the consumer writes, target, bytes of gzip measured when the limit was set */
const entries = [['core', `export { createClient } from '@holdfast/core'`, 'es2015', 9000]];

const source = (name) => fileURLToPath(new URL(`../packages/${name}/src/index.ts`, import.meta.url));
let over = 0;
for (const [name, contents, target, measured] of entries) {
  const { outputFiles } = await build({
    stdin: { contents, resolveDir: fileURLToPath(new URL('../packages/core', import.meta.url)) },
    alias: { '@holdfast/core': source('core') },
    bundle: true,
    minify: true,
    format: 'esm',
    target,
    write: false,
  });
  const bytes = outputFiles[0].contents;
  const gzip = gzipSync(bytes, { level: 9 }).length;
  const limit = Math.round(measured * 1.05);
  const verdict = gzip > limit ? '  OVER' : '';
  if (verdict) over++;
  const brotli = brotliCompressSync(bytes).length;
  console.log(
    `${name} (${target}): ${bytes.length} B minified, ${gzip} B gzip (limit ${limit}), ${brotli} B brotli${verdict}`,
  );
}
process.exit(over ? 1 : 0);
