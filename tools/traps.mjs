// Which promises are kept by a test? `pnpm traps` prints each T and U number with the tests that carry it.
// `pnpm traps --check T1-48,U1-43` exits with 1 when one of those numbers has no test.
import { readFileSync, readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { join, relative } from 'node:path';

const root = fileURLToPath(new URL('..', import.meta.url));
const LAST = { T: 52, U: 43 };

const carriers = new Map();
for (const file of testFiles()) {
  for (const [, name] of readFileSync(file, 'utf8').matchAll(/['"`]((?:[TU]\d+(?:, | and )?)+: [^'"`\n]+)/g)) {
    const [numbers] = name.split(': ');
    for (const [number] of numbers.matchAll(/[TU]\d+/g)) {
      if (!carriers.has(number)) carriers.set(number, []);
      carriers.get(number).push(`${relative(root, file)}: ${name}`);
    }
  }
}

const missing = [];
for (const letter of ['T', 'U']) {
  for (let i = 1; i <= LAST[letter]; i++) {
    const tests = carriers.get(letter + i) ?? [];
    if (tests.length === 0) missing.push(letter + i);
    else console.log(`${letter}${i}\n${tests.map((test) => `    ${test}`).join('\n')}`);
  }
}
const total = LAST.T + LAST.U;
console.log(`\nnot yet covered: ${missing.join(' ') || 'none'}`);
console.log(`${total - missing.length} of ${total} numbers carried by a test`);

const at = process.argv.indexOf('--check');
const wanted = at < 0 ? [] : process.argv[at + 1].split(',').flatMap(range);
const broken = wanted.filter((number) => missing.includes(number));
if (broken.length > 0) console.error(`no test carries ${broken.join(' ')}`);
process.exit(broken.length > 0 ? 1 : 0);

function range(text) {
  const [, letter, first, last = first] = /^([TU])(\d+)(?:-(\d+))?$/.exec(text);
  return Array.from({ length: last - first + 1 }, (_, i) => `${letter}${Number(first) + i}`);
}

function testFiles() {
  const folders = ['packages', 'examples', 'integrations'].flatMap((folder) =>
    readdirSync(join(root, folder), { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map((entry) => join(root, folder, entry.name)),
  );
  return folders.flatMap((folder) =>
    ['test', 'src'].flatMap((name) => {
      try {
        return readdirSync(join(folder, name), { recursive: true })
          .filter((file) => file.endsWith('.ts'))
          .map((file) => join(folder, name, file));
      } catch {
        return [];
      }
    }),
  );
}
