// Does the SDK live in the engines of its hosts? `pnpm test:engines` installs them, lives random worlds and plays the
// uni-app scenarios in each, and prints one table; it fails if any promise is broken, or an engine cannot be had.
// `pnpm test:engines --worlds 5000 Hermes` for more of it in one of them.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { ENGINES, lowerToES5, type Engine } from './engines.ts';
import { runProgram } from './program.ts';
import { bundleScript } from './bundle.ts';
import { installRuntimes } from './install.ts';
import type { Report } from './inside/main.ts';

/** How an engine fared. */
interface Outcome {
  readonly engine: string;
  readonly report?: Report;
  /** What is wrong, in words; empty is good. */
  readonly faults: readonly string[];
  readonly seconds: number;
}

/** Milliseconds; 500 worlds take the slowest engine three seconds, so an engine that hangs is what ends here. */
const LIMIT = 600_000;

const { values, positionals } = parseArgs({
  options: { worlds: { type: 'string', default: '500' } },
  allowPositionals: true,
});
const worlds = Number(values.worlds);
if (!Number.isInteger(worlds) || worlds < 1) throw new Error(`--worlds must be a whole number from 1, got ${values.worlds}`); // prettier-ignore
const unknown = positionals.filter((name) => !ENGINES.some((engine) => engine.name === name));
if (unknown.length > 0) throw new Error(`there are ${ENGINES.map(({ name }) => name).join(', ')}; not ${unknown.join(', ')}`); // prettier-ignore
const asked = ENGINES.filter(({ name }) => positionals.length === 0 || name === 'Node' || positionals.includes(name));

const log = (line: string): void => console.log(line);
const work = mkdtempSync(join(tmpdir(), 'holdfast-engines-'));
process.once('exit', () => rmSync(work, { recursive: true, force: true }));

const place = await installRuntimes(log);
const script = await bundleScript(worlds);
const outcomes: Outcome[] = [];
for (const engine of asked) outcomes.push(compared(await outcomeOf(engine), engine, outcomes[0]?.report));

console.log(`\n${tableOf(outcomes)}`);
for (const { name, otherLives } of asked)
  if (otherLives !== undefined) console.log(`\n${name} may live lives of its own: ${otherLives}`);
for (const { engine, faults } of outcomes) for (const fault of faults) console.log(`BROKEN  ${engine}: ${fault}`);
process.exitCode = outcomes.some(({ faults }) => faults.length > 0) ? 1 : 0;

async function outcomeOf(engine: Engine): Promise<Outcome> {
  let since = Date.now();
  const outcome = (faults: readonly string[], report?: Report): Outcome => ({
    engine: engine.name,
    faults,
    seconds: (Date.now() - since) / 1_000,
    ...(report ? { report } : {}),
  });
  try {
    const [command, ...args] = await engine.command(place, log);
    const file = join(work, `${engine.language}.js`);
    writeFileSync(file, engine.language === 'ES5' ? lowerToES5(script, place) : script);
    since = Date.now();
    const report = reportIn(await runProgram(command, [...args, file], { timeout: LIMIT }));
    return outcome([...report.violations, ...report.failures], report);
  } catch (error) {
    return outcome([error instanceof Error ? error.message : String(error)]);
  }
}

/** An engine that ends early, or in which a promise is never settled, ends with 0 all the same. */
function reportIn(printed: string): Report {
  const last = printed.trim().split('\n').pop() ?? '';
  if (!last.startsWith('{')) throw new Error(`it ended without a report; its last words: ${last || 'none'}`);
  const report = JSON.parse(last) as Report;
  if (report.worlds !== worlds || report.scenarios === 0) throw new Error(`it reports something else: ${last}`);
  return report;
}

/** The promises kept are one thing, the very same lives another: they show where engines understand the language alike. */
function compared(outcome: Outcome, { otherLives }: Engine, reference: Report | undefined): Outcome {
  const { report } = outcome;
  if (!report || !reference || otherLives !== undefined || report.trace === reference.trace) return outcome;
  return { ...outcome, faults: [...outcome.faults, 'its worlds went another way than those in Node'] };
}

function tableOf(rows: readonly Outcome[]): string {
  const cells = rows.map(({ engine, report, seconds }) => [
    engine,
    report ? `${report.worlds - brokenWorlds(report)} of ${report.worlds}` : '–',
    report ? `${report.scenarios - report.failures.length} of ${report.scenarios}` : '–',
    report ? (report.trace === rows[0]?.report?.trace ? 'as in Node' : 'its own') : '–',
    seconds.toFixed(1),
  ]);
  const all = [['engine', 'worlds', 'scenarios', 'lives', 'seconds'], ...cells];
  const widths = all[0]!.map((_, i) => Math.max(...all.map((row) => row[i]!.length)));
  return all
    .map((row) => row.map((cell, i) => (i === 0 ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!))).join('   '))
    .join('\n');
}

function brokenWorlds({ violations }: Report): number {
  return new Set(violations.map((words) => words.split(':')[0])).size;
}
