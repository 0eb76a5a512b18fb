// `pnpm simulate:session --worlds 20000 --seed 1`: many random lives of sessions, on all cores, and how many broke a promise.
//
// The real client, the real half of the server and the real store in memory, in simulated time and on a simulated network.
// `--seed 7 --worlds 1 --log` replays one life and writes down everything. `--mutants` plants faults instead, one at a
// time, and each must be noticed; with `--share 2/3` every third of them.
import { fork } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { build, type Plugin } from 'esbuild';
import { readFile } from 'node:fs/promises';
import { SESSION_MUTANTS, type SessionMutant } from './session-mutants.ts';
import { checkThatItFits, type PlantedFault } from './planted-fault.ts';
import { shareOf } from './share.ts';
import type { Report, Share } from './session-lives.ts';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const source = (name: string, entry = 'index') => join(ROOT, `packages/${name}/src/${entry}.ts`);

/** A mutant has so many lives to show itself, from this seed on; without a fault all of them are sound. */
const MUTANT_LIVES = 2_000;
const SOUND_LIVES = 300;
/** Milliseconds; a life takes about 20, so one that takes longer than this hangs. */
const HANGS = 60_000;

async function bundle(folder: string, name: string, faults: readonly PlantedFault[] = []): Promise<string> {
  const outfile = join(folder, `${name}.mjs`);
  await build({
    entryPoints: [join(ROOT, 'tools/session-lives.ts')],
    outfile,
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    logLevel: 'error',
    alias: {
      '@holdfast/core': source('core'),
      '@holdfast/session/wire': source('session', 'wire'),
      '@holdfast/session': source('session'),
    },
    plugins: [planting(faults)],
  });
  return outfile;
}

function planting(faults: readonly PlantedFault[]): Plugin {
  return {
    name: 'planted-faults',
    setup({ onLoad }) {
      onLoad({ filter: /\.ts$/ }, async ({ path }) => {
        const mine = faults.filter(({ file }) => path.endsWith(file));
        if (mine.length === 0) return undefined;
        let code = await readFile(path, 'utf8');
        for (const { find, replace } of mine) code = code.replace(find, () => replace);
        return { contents: code, loader: 'ts' };
      });
    },
  };
}

type Outcome = Report | 'hung';

function inChild(script: string, share: Share): Promise<Outcome> {
  return new Promise((resolve, reject) => {
    const child = fork(script, [JSON.stringify(share)], { execArgv: [] });
    const alarm = setTimeout(() => child.kill('SIGKILL'), HANGS);
    child.on('message', (news: Report | 'alive') => {
      if (news === 'alive') alarm.refresh();
      else resolve(news);
    });
    child.once('error', reject);
    child.once('exit', (code, signal) => {
      clearTimeout(alarm);
      if (signal === 'SIGKILL') resolve('hung');
      else if (code !== 0) reject(new Error(`a child ended with ${code}`));
    });
  });
}

async function simulate(folder: string, worlds: number, seed: number, log: boolean): Promise<boolean> {
  const script = await bundle(folder, 'sound');
  const cores = log ? 1 : availableParallelism();
  const started = Date.now();
  const outcomes = await Promise.all(
    Array.from({ length: cores }, (_, i) =>
      inChild(script, { first: seed + i, step: cores, end: seed + worlds, log, stopsAtFailure: false }),
    ),
  );
  const reports = outcomes.filter((outcome) => outcome !== 'hung');
  if (reports.length < outcomes.length) console.log('a life did not end');
  const sum = (what: 'messages' | 'handledAgain' | 'inDoubtTold'): number =>
    reports.reduce((total, report) => total + report[what], 0);
  const failures = reports.flatMap((report) => report.failures).sort((a, b) => a.seed - b.seed);
  for (const failure of failures.slice(0, 20)) console.log(`seed ${failure.seed}: ${failure.violations.join('; ')}`);
  console.log(
    `seeds ${seed} to ${seed + worlds - 1}, ${((Date.now() - started) / 1000).toFixed(1)} s on ${cores} cores; ` +
      `${sum('handledAgain')} messages handled again with a reason, ${sum('inDoubtTold')} told as in doubt`,
  );
  console.log(`${worlds} worlds, ${sum('messages')} messages, ${failures.length} violations`);
  return failures.length === 0 && reports.length === outcomes.length;
}

async function plantEach(folder: string, word: string, share: string): Promise<boolean> {
  for (const { faults } of SESSION_MUTANTS) faults.forEach(checkThatItFits);
  const mutants = SESSION_MUTANTS.filter(({ name }) => name.includes(word)).filter(shareOf(share));
  const sound = await inChild(await bundle(folder, 'sound'), livesOf(SOUND_LIVES));
  if (sound === 'hung' || sound.failures.length > 0) {
    throw new Error(`without a fault: ${JSON.stringify(sound)}`);
  }
  let noticed = 0;
  const waiting = [...mutants.entries()];
  await Promise.all(Array.from({ length: availableParallelism() }, work));
  console.log(`${noticed} of ${mutants.length} noticed`);
  return noticed === mutants.length;

  async function work(): Promise<void> {
    for (let next; (next = waiting.shift());) {
      const [id, mutant] = next;
      const words = await plant(folder, `mutant${id}`, mutant);
      if (words.startsWith('noticed')) noticed++;
      console.log(`${mutant.name}: ${words}`);
    }
  }
}

async function plant(folder: string, id: string, { faults }: SessionMutant): Promise<string> {
  const outcome = await inChild(await bundle(folder, id, faults), livesOf(MUTANT_LIVES));
  if (outcome === 'hung') return 'noticed, as a life that does not end';
  const [failure] = outcome.failures;
  if (!failure) return `NOT NOTICED in ${outcome.lives} lives`;
  return `noticed by seed ${failure.seed}: ${failure.violations[0]!.split('\n')[0]!.slice(0, 100)}`;
}

const livesOf = (lives: number): Share => ({ first: 1, step: 1, end: 1 + lives, log: false, stopsAtFailure: true });

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    worlds: { type: 'string', default: '20000' },
    seed: { type: 'string', default: '1' },
    log: { type: 'boolean', default: false },
    mutants: { type: 'boolean', default: false },
    share: { type: 'string', default: '0/1' },
  },
});
const folder = mkdtempSync(join(tmpdir(), 'holdfast-sessions-'));
try {
  const isGood = values.mutants
    ? await plantEach(folder, positionals[0] ?? '', values.share)
    : await simulate(folder, Number(values.worlds), Number(values.seed), values.log);
  process.exitCode = isGood ? 0 : 1;
} finally {
  rmSync(folder, { recursive: true, force: true });
}
