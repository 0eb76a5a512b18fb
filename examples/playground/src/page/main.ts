// What does the page show? One client, its record, and a picture of it that moves.

import { createChart } from './chart.ts';
import { createControls } from './controls.ts';
import { createLog } from './log.ts';
import { createRecord, type Sample } from './record.ts';
import { createTimeline } from './timeline.ts';
import { createWatchedClient, OPTIONS } from './client.ts';
import type { StageState } from '../stage/stage.ts';

const at = (id: string): HTMLElement => document.getElementById(id)!;

/** Milliseconds between two pictures: ten a second move well enough, and leave the machine alone. */
const FRAME = 100;
/** How far the page looks back, in milliseconds: half as far on a phone. */
const WIDE = 60_000;
const NARROW = 30_000;
const narrow = matchMedia('(max-width: 639px)');

const stage = (await (await fetch('/control')).json()) as StageState;
const client = createWatchedClient(stage.url);
const record = createRecord(client, createLog(at('log')));
createControls(client, record, stage);
at('options').textContent = `connect('${stage.url}', ${pretty(OPTIONS)});`;

const timeline = createTimeline(at('spans'), at('marks'), at('axis'));
const roundTrips = createChart(at('latency-chart'), {
  shape: 'line',
  atLeast: 10,
  describe: (samples) => `Chart of round-trip times: ${described(samples, 'ms')}`,
});
const depths = createChart(at('queue-chart'), {
  shape: 'steps',
  atLeast: 9,
  describe: (samples) => `Chart of the queue’s depth: ${described(samples, 'messages')}`,
});

let lastFrame = -Infinity;
requestAnimationFrame(function frame(time) {
  requestAnimationFrame(frame);
  if (time - lastFrame < FRAME) return;
  lastFrame = time;
  draw();
});

function draw(): void {
  record.sample();
  const to = performance.now();
  const from = to - (narrow.matches ? NARROW : WIDE);
  timeline.draw(record, from, to);
  roundTrips.draw(record.roundTrips, from, to);
  depths.draw(record.depths, from, to);

  write('status-name', client.status);
  write('timeline-status', client.status); // where the first has scrolled out of sight
  write('status-detail', detail(to));
  at('status').dataset['status'] = client.status;
  write('latency', client.latency === undefined ? '–' : `${client.latency.toFixed(client.latency < 10 ? 1 : 0)} ms`);
  write('queued', String(client.queued));
  write('sent', String(record.counts.sent));
  write('echoed', String(record.counts.echoed));
  write('unconfirmed', String(record.counts.unconfirmed));
  write('dropped', String(record.counts.dropped));
}

function detail(now: number): string {
  if (record.nextDial !== undefined) {
    const left = record.nextDial - now;
    return left > 0 ? `next dial in ${(left / 1_000).toFixed(1)} s` : 'dialling';
  }
  return `for ${((now - record.spans.at(-1)!.from) / 1_000).toFixed(0)} s`;
}

function described(samples: readonly Sample[], unit: string): string {
  const values = samples.map(({ value }) => value).filter((value) => value !== null);
  if (values.length === 0) return 'none yet';
  return `${Math.round(values.at(-1)!)} ${unit} now, at most ${Math.round(Math.max(...values))}`;
}

/** What has not changed is left alone. */
function write(id: string, text: string): void {
  const place = at(id);
  if (place.textContent !== text) place.textContent = text;
}

/** As one would write it. */
function pretty(value: object): string {
  return JSON.stringify(value, undefined, 2)
    .replaceAll(/"(\w+)":/g, '$1:')
    .replaceAll(/(?<=\d)(?=(?:\d{3})+\b)/g, '_');
}
