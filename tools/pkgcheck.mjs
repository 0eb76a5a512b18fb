// Would it arrive whole? Packs every package as it would be published, and has publint and attw look at the tarballs.
import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { join } from 'node:path';
import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';

const root = fileURLToPath(new URL('..', import.meta.url));
const bin = (name) => join(root, 'node_modules/.bin', name);
const out = mkdtempSync(join(tmpdir(), 'holdfast-pack-'));
let failed = 0;

/** What a tarball holds beside dist/; nothing else is anybody's business. */
const EXPECTED = ['package/LICENSE', 'package/README.md', 'package/package.json'];

try {
  for (const name of readdirSync(join(root, 'packages'))) {
    const folder = join(root, 'packages', name);
    const { name: fullName, version } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
    run('pnpm', ['pack', '--pack-destination', out], folder, true);
    const tarball = join(out, `${fullName.replace('@', '').replace('/', '-')}-${version}.tgz`);
    const files = execFileSync('tar', ['-tzf', tarball], { encoding: 'utf8' }).trim().split('\n');
    const rest = files.filter((file) => !file.startsWith('package/dist/')).sort();
    const isRight = rest.join() === EXPECTED.join() && files.includes('package/dist/index.d.mts');
    if (!isRight) report(`${name}: the tarball holds ${rest.join(', ')}`);
    run(bin('publint'), [tarball, '--strict'], root);
    run(bin('attw'), [tarball], root);
    console.log(`${name}: ${files.length} files, publint and attw content`);
  }
} finally {
  rmSync(out, { recursive: true });
}
process.exit(failed > 0 ? 1 : 0);

function run(command, args, cwd, must = false) {
  try {
    execFileSync(command, args, { cwd, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
  } catch (error) {
    if (must) throw error;
    report(`${command} ${args.join(' ')}\n${error.stdout ?? ''}${error.stderr ?? ''}`);
  }
}

function report(fault) {
  failed++;
  console.error(fault);
}
