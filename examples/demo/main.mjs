// `pnpm demo`: does everything that Holdfast promises hold, here and now? Exit code 0 only if every act says so.

import { parseArgs } from 'node:util';
import { createJsonPrinter, createPrinter } from './stage/print.mjs';
import { createServerProcess, createStage } from './stage/stage.mjs';

/** One scene after the other. The acts of one scene play at the same time: they measure nothing that others disturb. */
const PROGRAMME = [
  ['upgrade', 'full-duplex', 'origin', 'heartbeat', 'token', 'tls'],
  ['silence', 'kill', 'at-least-once'],
  ['session', 'drain'],
];

/** No act may take longer, and not the whole, in milliseconds. */
const LONGEST_ACT = 20_000;
const LONGEST_DEMO = 38_000;

const { values: flags, positionals } = parseArgs({
  options: { json: { type: 'boolean', default: false } },
  allowPositionals: true,
});
const unknown = positionals.filter((name) => !PROGRAMME.flat().includes(name));
if (unknown.length > 0) throw new Error(`no act ${unknown.join(', ')}; there are ${PROGRAMME.flat().join(', ')}`);
/** The acts that were named, else all of them. */
const programme = positionals.length === 0 ? PROGRAMME : positionals.map((name) => [name]);

const printer = flags.json ? createJsonPrinter() : createPrinter();

const tooLong = setTimeout(() => {
  console.error(`the demo has not ended by itself within ${LONGEST_DEMO} ms`);
  process.exit(1);
}, LONGEST_DEMO);
tooLong.unref(); // what it watches for is something else that keeps us running

const outcome = await perform();
printer.ended(outcome);
process.exitCode = outcome.held ? 0 : 1;

async function perform() {
  const startedAt = performance.now();
  const acts = [];
  const house = await createServerProcess();
  printer.begins(programme.flat().length);
  for (const scene of programme) {
    const modules = await Promise.all(scene.map(load));
    const playing = new Set(modules.map(({ title }) => title));
    printer.playing([...playing]);
    const plays = modules.map(async (act, i) => {
      const outcome = await play(act, house, acts.length + i + 1);
      playing.delete(act.title);
      printer.playing([...playing]);
      return outcome;
    });
    for (const played of plays) printer.actEnded(await played);
    acts.push(...(await Promise.all(plays)));
  }
  await house.end();
  return { held: acts.every((act) => act.held), seconds: secondsSince(startedAt), acts };
}

async function load(name) {
  const url = new URL(`./acts/${name}.mjs`, import.meta.url).href;
  const { title, run } = await import(url);
  return { name, url, title, run };
}

/** Plays one act, whatever becomes of it. */
async function play({ name, url, title, run }, house, number) {
  const startedAt = performance.now();
  const stage = createStage(url, house);
  let outcome = { summary: 'it did not come to its end', figures: {}, rows: [] };
  let error;
  try {
    outcome = await withBound(run(stage));
  } catch (cause) {
    error = String(cause?.stack ?? cause);
  }
  await stage.end();
  const held = !error && outcome.rows.length > 0 && outcome.rows.every((row) => row.held);
  return { number, name, title, held, seconds: secondsSince(startedAt), ...outcome, shown: stage.shown, error };
}

async function withBound(running) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`the act was not over within ${LONGEST_ACT} ms`)), LONGEST_ACT);
  });
  try {
    return await Promise.race([running, late]);
  } finally {
    clearTimeout(timer);
  }
}

function secondsSince(start) {
  return Number(((performance.now() - start) / 1000).toFixed(1));
}
