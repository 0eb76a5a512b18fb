// Does the SDK live in the real builds? `pnpm test:uniapp` installs what that needs, packs the SDK, builds and runs it in
// five places, and prints one table. `pnpm test:uniapp H5 App` runs only these.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createFaultServer, type FaultServer } from '@holdfast/testing';
import { checkMiniProgram, checkPage } from './example.ts';
import { drawTable, type Cell } from './table.ts';
import { installApp, installLocked } from './install.ts';
import { RUNTIMES, type Places, type Runtime, type RuntimeName } from './runtimes.ts';
import { ROWS, type Row } from './scenarios.ts';
import type { Facts } from './facts.ts';

const app = fileURLToPath(new URL('../app', import.meta.url));
const all = Object.keys(RUNTIMES) as RuntimeName[];

const asked = process.argv.slice(2);
const NOTHING: Facts = { open: [], message: [], pong: [], close: [], drop: [], error: [], end: [] };
const unknown = asked.filter((name) => !all.includes(name as RuntimeName));
if (unknown.length > 0) throw new Error(`there are ${all.join(', ')}; not ${unknown.join(', ')}`);
const names = asked.length > 0 ? all.filter((name) => asked.includes(name)) : all;

const since = Date.now();
const log = (line: string): void =>
  console.log(`${String(Math.round((Date.now() - since) / 1000)).padStart(4)} s  ${line}`);

const uniapp = await installApp(log);
const wechat = names.includes('WeChat npm') ? await installLocked('wechat', log) : '';
const work = mkdtempSync(join(tmpdir(), 'holdfast-uniapp-'));
process.once('exit', () => rmSync(work, { recursive: true, force: true }));
const columns = await inTwos(names, column);
const rows = ROWS.map(({ name }, i) => ({ name, cells: columns.map((cells) => cells[i]!) }));
console.log(`\n${drawTable(names, rows)}`);
const cells = columns.flat();
const count = (name: Cell['name']): number => cells.filter((cell) => cell.name === name).length;
console.log(`\n${count('kept')} kept, ${count('left out')} left out for the reasons above, ${count('broken')} broken`);
const failed = asked.length > 0 ? 0 : await examples();
process.exit(count('broken') + failed === 0 ? 0 : 1);

/** @returns how many of them do not do what they should */
async function examples(): Promise<number> {
  let bad = 0;
  for (const [name, check] of Object.entries({
    'examples/uniapp as H5, on a phone, its server gone and back': checkPage,
    'examples/uniapp as a mini-program of WeChat': checkMiniProgram,
  })) {
    try {
      await check(uniapp, join(work, 'example'));
      log(`ok      ${name}`);
    } catch (error) {
      bad += 1;
      log(`BROKEN  ${name}: ${textOf(error)}`);
    }
  }
  return bad;
}

/** All rows of one runtime. */
async function column(name: RuntimeName): Promise<readonly Cell[]> {
  const server = await createFaultServer();
  let runtime: Runtime | undefined;
  try {
    const places: Places = { app, uniapp, wechat, work, server };
    runtime = await RUNTIMES[name](places);
    log(`${name}: built and started`);
    const cells: Cell[] = [];
    for (const row of ROWS) cells.push(await cell(row, name, runtime, server));
    log(`${name}: done`);
    return cells;
  } catch (error) {
    log(`${name}: not started`);
    const why = `${name} could not be built or started: ${textOf(error)}`;
    return ROWS.map(() => ({ name: 'broken', why }));
  } finally {
    await runtime?.stop();
    await server.close();
  }
}

async function cell(row: Row, on: RuntimeName, runtime: Runtime, server: FaultServer): Promise<Cell> {
  const why = row.without?.[on];
  if (why !== undefined) return { name: 'left out', why };
  try {
    const before = runtime.host?.calls.length ?? 0;
    const facts = row.scenario === undefined ? NOTHING : await runtime.run(row.scenario);
    await row.check({
      facts,
      on,
      runtime,
      server,
      calls: runtime.host?.calls.slice(before) ?? [],
    });
    return { name: 'kept' };
  } catch (error) {
    return { name: 'broken', why: `${on}, ${row.name}: ${textOf(error)}` };
  }
}

/** Two at a time: as many cores as the smallest machine has. */
async function inTwos<T, R>(items: readonly T[], work: (item: T) => Promise<R>): Promise<R[]> {
  const results: R[] = [];
  let next = 0;
  const lane = async (): Promise<void> => {
    while (next < items.length) {
      const i = next++;
      results[i] = await work(items[i]!);
    }
  };
  await Promise.all([lane(), lane()]);
  return results;
}

function textOf(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return text.split('\n    at ')[0]!;
}
