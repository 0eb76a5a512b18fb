// What does one inbound message cost, and what one send, above a socket with no wire?
//
// Every contender runs in a process of its own, so that each has the call sites that it would have in an application
// which uses only it; the bare hand-over too. One process works at a time. In each round all take their turn, in an
// order that rotates, and each is compared with the bare one of the same round. The processes are started anew several
// times, since how memory lies and what is compiled when differ from start to start and stay for a process's life.

import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { BARE, CONTENDERS, HOLDFAST_PLAIN, type Duties } from './dispatch/contenders.ts';
import { PAYLOADS, type Payload } from './dispatch/payloads.ts';
import { machine, machineLine } from './machine.ts';
import { spreadOf, type Spread } from './statistics.ts';
import { table } from './table.ts';
import type { Answer, Order, Round } from './dispatch/lane.ts';

type Direction = keyof Round;

interface Figure {
  readonly payload: Payload['name'];
  readonly direction: Direction;
  readonly contender: string;
  /** Per message. */
  readonly nanoseconds: Spread;
  /** To the bare one of the same round. */
  readonly ratio: Spread;
}

const LAUNCHES = 2;
const ROUNDS = 7;
const DIRECTIONS: readonly Direction[] = ['inbound', 'outbound'];

/** What Holdfast promises, as the ratio to the bare hand-over and to the bare socket's `send`, for text. */
const BOUNDS: Readonly<Record<Direction, number>> = { inbound: 1.3, outbound: 1.5 };

const figures: Figure[] = [];
for (const { name } of PAYLOADS) figures.push(...(await measure(name)));
const broken = brokenBounds();

if (process.argv.includes('--json')) {
  console.log(JSON.stringify({ benchmark: 'dispatch', machine: machine(), rounds: LAUNCHES * ROUNDS, bounds: BOUNDS, broken, figures }, null, 2));
} else print();
if (broken.length > 0) process.exitCode = 1;

// ---- measuring

async function measure(payload: Payload['name']): Promise<Figure[]> {
  const rounds = new Map<string, Round[]>(CONTENDERS.map(({ name }) => [name, []]));
  for (let launch = 0; launch < LAUNCHES; launch++) {
    console.error(`${payload}: launch ${launch + 1} of ${LAUNCHES}`);
    const lanes = new Map<string, ChildProcess>();
    for (const { name } of CONTENDERS) lanes.set(name, await startLane(name, payload));
    for (let round = 0; round < ROUNDS; round++) {
      for (const name of rotated([...lanes.keys()], round)) rounds.get(name)!.push(await askForRound(lanes.get(name)!));
    }
    await Promise.all([...lanes.values()].map(endLane));
  }
  return CONTENDERS.flatMap(({ name }) =>
    DIRECTIONS.map((direction) => {
      const costs = rounds.get(name)!.map((round) => round[direction]);
      const ratios = costs.map((cost, i) => cost / rounds.get(BARE)![i]![direction]);
      return { payload, direction, contender: name, nanoseconds: spreadOf(costs), ratio: spreadOf(ratios) };
    }),
  );
}

function rotated<T>(all: readonly T[], by: number): T[] {
  const start = by % all.length;
  return [...all.slice(start), ...all.slice(0, start)];
}

/** Resolves when it is warm. */
async function startLane(contender: string, payload: string): Promise<ChildProcess> {
  const lane = fork(fileURLToPath(new URL('./dispatch/lane.ts', import.meta.url)), [contender, payload], {
    execArgv: ['--import', 'tsx'],
  });
  await answerOf(lane);
  return lane;
}

async function askForRound(lane: ChildProcess): Promise<Round> {
  lane.send('round' satisfies Order);
  return (await answerOf(lane)) as Round;
}

async function endLane(lane: ChildProcess): Promise<void> {
  lane.send('end' satisfies Order);
  await once(lane, 'exit');
}

function answerOf(lane: ChildProcess): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const died = (code: number | null) => reject(new Error(`a lane ended with ${code}: ${lane.spawnargs.join(' ')}`));
    lane.once('exit', died);
    lane.once('message', (answer: Answer) => {
      lane.off('exit', died);
      resolve(answer);
    });
  });
}

// ---- judging

function brokenBounds(): string[] {
  return DIRECTIONS.flatMap((direction) => {
    const own = figureOf('text', direction, HOLDFAST_PLAIN).ratio.median;
    const bound = BOUNDS[direction];
    return own > bound ? [`${direction}: ${own.toFixed(2)} × the bare one, allowed ${bound}`] : [];
  });
}

function figureOf(payload: Payload['name'], direction: Direction, contender: string): Figure {
  return figures.find((f) => f.payload === payload && f.direction === direction && f.contender === contender)!;
}

// ---- telling

function print(): void {
  console.log(machineLine(machine()));
  for (const { name: payload } of PAYLOADS) {
    for (const direction of DIRECTIONS) {
      console.log(`\n${direction}, ${payload}\n`);
      const rows = CONTENDERS.map(({ name, duties }) => {
        const { nanoseconds, ratio } = figureOf(payload, direction, name);
        const [low, high] = ratio.quartiles;
        return [name, nanoseconds.median.toFixed(1), ratio.median.toFixed(2), `${low.toFixed(2)}–${high.toFixed(2)}`, dutiesLine(duties)];
      });
      console.log(table(['contender', 'ns', '× bare', 'quartiles', 'does'], rows, new Set([1, 2, 3])));
    }
  }
}

function dutiesLine(duties: Duties): string {
  return JSON.stringify(duties);
}
