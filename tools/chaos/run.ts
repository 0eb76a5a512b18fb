// `pnpm chaos --minutes 2 --seed 7 --clients 50 --pages 2 --json FILE`: real servers, a real Redis, real clients, and everything
// that can go wrong. Is anything lost, doubled or out of order?

import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { planOf, type Mishap, type MishapName, type Planned } from './plan.ts';
import { SERVER_COUNT, startStage, type Stage } from './stage.ts';
import { describe, judge } from './verdict.ts';

const { values } = parseArgs({
  options: {
    /** How long things go wrong. */
    minutes: { type: 'string', default: '2' },
    seed: { type: 'string', default: String(Math.floor(Math.random() * 1_000_000)) },
    clients: { type: 'string', default: '50' },
    pages: { type: 'string', default: '2' },
    /** Messages a second: of each client, and to each session. */
    rate: { type: 'string', default: '4' },
    json: { type: 'string' },
  },
});
const minutes = Number(values.minutes);
const seed = Number(values.seed);
const clients = Number(values.clients);
const pages = process.env['HOLDFAST_NO_BROWSER'] === '1' ? 0 : Number(values.pages);
const rate = Number(values.rate);

const began = performance.now();
const seconds = (): string => ((performance.now() - began) / 1_000).toFixed(1).padStart(6);
const say = (words: string): void => console.log(`${seconds()} s  ${words}`);

/** Each at its time, beside whatever else goes on. Resolves when the time is over. */
async function wreak(
  stage: Stage,
  plan: readonly Planned[],
  length: number,
): Promise<Partial<Record<MishapName, number>>> {
  const done: Partial<Record<MishapName, number>> = {};
  const running: Promise<void>[] = [];
  const startedAt = performance.now();
  const until = (at: number) => sleep(Math.max(0, startedAt + at - performance.now()));
  for (const { at, mishap } of plan) {
    await until(at);
    const performed = stage.perform(mishap);
    say(`${wordsFor(mishap)}${performed ? '' : ': left out, since the last one is not over'}`);
    if (!performed) continue;
    done[mishap.name] = (done[mishap.name] ?? 0) + 1;
    running.push(performed);
  }
  await until(length);
  await Promise.all(running);
  return done;
}

function wordsFor({ name, ...details }: Mishap): string {
  const words = Object.entries(details).map(([detail, value]) => `${detail} ${String(value)}`);
  return [name, ...words].join(', ');
}

const length = minutes * 60_000;
console.log(
  `chaos: seed ${seed}, ${minutes} minutes, ${clients} clients in Node and ${pages} in pages, ${SERVER_COUNT} servers`,
);
const plan = planOf({ seed, length, servers: SERVER_COUNT, pages });
const stage = await startStage({ clients, pages, rate });
say('everything stands');
const mishaps = await wreak(stage, plan, length);
say('nothing goes wrong any more');
const records = await stage.settle();
say(records.unsettled.length === 0 ? 'everything has arrived' : `not settled: ${records.unsettled.join(', ')}`);
const verdict = judge(records, mishaps);
await stage.close();
say('the end\n');

const { history, ...result } = verdict;
if (values.json !== undefined) {
  writeFileSync(values.json, JSON.stringify({ seed, minutes, clients, pages, rate, ...result, plan }, undefined, 2));
}
if (!verdict.isGood) {
  const path = join(mkdtempSync(join(tmpdir(), 'holdfast-chaos-')), 'history.json');
  writeFileSync(path, JSON.stringify(history));
  console.log(`seed ${seed} broke promises; what happened is in ${path}`);
}
for (const line of describe(verdict)) console.log(line);
process.exit(verdict.isGood ? 0 : 1); // a question that a killed process never answered would be waited for
