// `pnpm simulate --worlds 100000 --seed 1`: many random lives, on all cores, and how many broke a promise.
import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { fileURLToPath } from 'node:url';
import { fork } from 'node:child_process';
import { liveRandomly } from '../packages/core/test/support/random-world.ts';

/** Set for the children, who live a share of the worlds each. */
const SHARE = 'HOLDFAST_SIMULATE_SHARE';

interface Share {
  readonly first: number;
  readonly step: number;
  readonly end: number;
}
interface Report {
  readonly operations: number;
  readonly failures: readonly { readonly seed: number; readonly violations: readonly string[] }[];
}

async function live({ first, step, end }: Share): Promise<Report> {
  let operations = 0;
  const failures: Report['failures'][number][] = [];
  for (let seed = first; seed < end; seed += step) {
    const outcome = await liveRandomly(seed);
    operations += outcome.operations;
    if (outcome.violations.length > 0) failures.push({ seed, violations: outcome.violations });
  }
  return { operations, failures };
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: { worlds: { type: 'string', default: '100000' }, seed: { type: 'string', default: '1' } },
  });
  const worlds = Number(values.worlds);
  const seed = Number(values.seed);
  const cores = availableParallelism();
  const started = Date.now();
  const reports = await Promise.all(
    Array.from({ length: cores }, (_, i) => inChild({ first: seed + i, step: cores, end: seed + worlds })),
  );
  const failures = reports.flatMap((report) => report.failures);
  for (const { seed: failed, violations } of failures.slice(0, 20))
    console.log(`seed ${failed}: ${violations.join('; ')}`);
  const operations = reports.reduce((sum, report) => sum + report.operations, 0);
  console.log(
    `seeds ${seed} to ${seed + worlds - 1}, ${((Date.now() - started) / 1000).toFixed(1)} s on ${cores} cores`,
  );
  console.log(`${worlds} worlds, ${operations} operations, ${failures.length} violations`);
  process.exitCode = failures.length > 0 ? 1 : 0;
}

function inChild(share: Share): Promise<Report> {
  return new Promise((resolve, reject) => {
    const child = fork(fileURLToPath(import.meta.url), [JSON.stringify(share)], {
      env: { ...process.env, [SHARE]: 'yes' },
    });
    child.once('message', (report) => resolve(report as Report));
    child.once('error', reject);
    child.once('exit', (code) => code !== 0 && reject(new Error(`a child ended with ${code}`)));
  });
}

if (process.env[SHARE]) process.send!(await live(JSON.parse(process.argv[2]!) as Share), () => process.exit(0));
else await main();
