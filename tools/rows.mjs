// Who may import whom? Checks the rows of ARCHITECTURE.md ("Import rows") against the imports of packages/core/src, and
// that packages import each other only downwards. Part of `pnpm lint`.
import { readFileSync, readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { basename, join } from 'node:path';

const root = fileURLToPath(new URL('..', import.meta.url));
const faults = [];

// ---- core: the table in ARCHITECTURE.md is the rule; each line reads `| row | modules |`
const text = readFileSync(join(root, 'ARCHITECTURE.md'), 'utf8');
const section = text.split('## Import rows')[1]?.split('\n## ')[0] ?? '';
const rowOf = new Map();
for (const [, row, modules] of section.matchAll(/^\| (\d+) +\| (.+?) +\|/gm)) {
  for (const [, name] of modules.matchAll(/`([\w-]+)`/g)) rowOf.set(name, Number(row));
}
if (rowOf.size === 0) faults.push('ARCHITECTURE.md has no table under "Import rows"');

const core = join(root, 'packages/core/src');
const files = readdirSync(core).filter((file) => file.endsWith('.ts'));
for (const file of files) {
  const name = basename(file, '.ts');
  if (!rowOf.has(name)) faults.push(`core/${file} is in no row of ARCHITECTURE.md`);
  for (const { target } of importsOf(join(core, file))) {
    if (target === 'eventemitter3') continue;
    if (!target.startsWith('./')) faults.push(`core/${file} imports ${target}: core has eventemitter3 alone`);
    else if (rowOf.get(basename(target, '.ts')) >= rowOf.get(name)) {
      faults.push(
        `core/${file} (row ${rowOf.get(name)}) imports ${target} (row ${rowOf.get(basename(target, '.ts'))})`,
      );
    }
  }
}
for (const name of rowOf.keys())
  if (!files.includes(`${name}.ts`)) faults.push(`ARCHITECTURE.md names ${name}, which is gone`);

// ---- packages: only these may be imported from src, beside node's own and what package.json lists
const MAY_IMPORT = {
  core: [],
  browser: ['core'],
  node: ['core'],
  uniapp: ['core'],
  holdfast: ['core', 'browser', 'node', 'uniapp'],
  session: ['core'],
  server: ['core', 'session'],
  redis: ['core', 'server'],
  testing: ['core', 'browser'],
};
for (const [name, allowed] of Object.entries(MAY_IMPORT)) {
  const folder = join(root, 'packages', name);
  const { dependencies = {}, peerDependencies = {} } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
  const listed = new Set([...Object.keys(dependencies), ...Object.keys(peerDependencies)]);
  for (const file of readdirSync(join(folder, 'src'), { recursive: true }).map(String)) {
    if (!file.endsWith('.ts')) continue;
    for (const { target } of importsOf(join(folder, 'src', file))) {
      if (target.startsWith('.') || target.startsWith('node:')) continue;
      const wanted = target.startsWith('@') ? target.split('/').slice(0, 2).join('/') : target.split('/')[0];
      const sibling = /^@holdfast\/(.+)$/.exec(wanted)?.[1];
      if (sibling && !allowed.includes(sibling)) faults.push(`${name}/src/${file} may not import ${target}`);
      if (!listed.has(wanted)) faults.push(`${name}/src/${file} imports ${target}, which package.json does not list`);
    }
  }
}

for (const fault of faults) console.error(fault);
console.log(
  `import rows: ${rowOf.size} modules of core, ${Object.keys(MAY_IMPORT).length} packages, ${faults.length} faults`,
);
process.exit(faults.length > 0 ? 1 : 0);

function importsOf(path) {
  const source = readFileSync(path, 'utf8');
  return [...source.matchAll(/^(?:import|export) (?:[^'";]*? from )?'([^']+)';/gm)].map(([, target]) => ({ target }));
}
