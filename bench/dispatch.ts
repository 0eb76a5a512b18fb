// What does one inbound message cost, and what one send, above a socket with no wire?
//
// Every contender runs in a process of its own, so that each has the call sites that it would have in an application
// which uses only it; the bare hand-over too. One process works at a time. In each round all take their turn, in an
// order that rotates, and each is compared with a turn of the bare one right beside its own. The processes are started
// anew several times: how memory lies, and what is compiled when, differ from start to start and stay for a life.

import { BARE, CONTENDERS, HOLDFAST, HOLDFAST_ASKING, type Contender } from './dispatch/contenders.ts';
import { MESSAGES, PAYLOADS, type Payload } from './dispatch/payloads.ts';
import { machine, machineLine } from './machine.ts';
import { startPart, type Part } from './processes.ts';
import { spreadOf, type Spread } from './statistics.ts';
import { table } from './table.ts';
import type { Order, Round } from './dispatch/lane.ts';

type Direction = keyof Round;

interface Figure {
  readonly payload: Payload['name'];
  readonly direction: Direction;
  readonly contender: string;
  /** Per message. */
  readonly nanoseconds: Spread;
  /** To the bare one's turn right beside it. For the bare one itself, this is how far the machine alone spreads. */
  readonly ratio: Spread;
}

const LAUNCHES = 5;
const ROUNDS = 9;
const DIRECTIONS: readonly Direction[] = ['inbound', 'outbound'];

/** What Holdfast promises, as the ratio to the bare hand-over and to the bare socket's `send`, for text. */
const BOUNDS: Readonly<Record<Direction, number>> = { inbound: 1.3, outbound: 1.5 };

const figures: Figure[] = [];
for (const { name } of PAYLOADS) figures.push(...(await measure(name)));
const verdicts = DIRECTIONS.flatMap((direction) => [boundOf(direction), ...peersOf(direction)]);

if (process.argv.includes('--json')) console.log(JSON.stringify(report(), null, 2));
else print();
if (verdicts.some(({ isKept }) => !isKept)) process.exitCode = 1;

// ---- measuring

type Lane = Part<Order>;

/** What one contender cost in one turn, and what the bare one cost right beside it. */
interface Turn {
  readonly own: Round;
  readonly bare: Round;
}

async function measure(payload: Payload['name']): Promise<Figure[]> {
  const turns = new Map<string, Turn[]>(CONTENDERS.map(({ name }) => [name, []]));
  for (let launch = 0; launch < LAUNCHES; launch++) {
    console.error(`${payload}: launch ${launch + 1} of ${LAUNCHES}`);
    const lanes = new Map<string, Lane>();
    for (const { name } of CONTENDERS) lanes.set(name, await startPart('dispatch/lane', [name, payload]));
    for (let round = 0; round < ROUNDS; round++) {
      for (const name of rotated([...lanes.keys()], round)) {
        turns.get(name)!.push(await takeTurn(lanes.get(name)!, lanes.get(BARE)!, round % 2 === 0));
      }
    }
    await Promise.all([...lanes.values()].map((lane) => lane.end()));
  }
  return CONTENDERS.flatMap(({ name }) =>
    DIRECTIONS.map((direction) => ({
      payload,
      direction,
      contender: name,
      nanoseconds: spreadOf(turns.get(name)!.map(({ own }) => own[direction])),
      ratio: spreadOf(turns.get(name)!.map(({ own, bare }) => own[direction] / bare[direction])),
    })),
  );
}

/** The bare one takes its turn before or after, so that a machine that grows slower favours nobody. */
async function takeTurn(lane: Lane, bareLane: Lane, bareFirst: boolean): Promise<Turn> {
  if (bareFirst) {
    const bare = await askForRound(bareLane);
    return { bare, own: await askForRound(lane) };
  }
  const own = await askForRound(lane);
  return { own, bare: await askForRound(bareLane) };
}

function rotated<T>(all: readonly T[], by: number): T[] {
  const start = by % all.length;
  return [...all.slice(start), ...all.slice(0, start)];
}

async function askForRound(lane: Lane): Promise<Round> {
  return (await lane.ask('round')) as Round;
}

// ---- judging

interface Verdict {
  readonly what: string;
  readonly isKept: boolean;
}

function boundOf(direction: Direction): Verdict {
  const { median } = figureOf('text', direction, HOLDFAST).ratio;
  const bound = BOUNDS[direction];
  return { what: `${direction}: ${median.toFixed(2)} × bare, at most ${bound}`, isKept: median <= bound };
}

/** Holdfast is ahead of every peer that does as much. */
function peersOf(direction: Direction): Verdict[] {
  const own = figureOf('text', direction, HOLDFAST).ratio.median;
  return CONTENDERS.filter((contender) => isPeer(contender) && doesAsMuch(contender, direction)).map(({ name }) => {
    const theirs = figureOf('text', direction, name).ratio.median;
    return { what: `${direction}: ahead of ${name} (${theirs.toFixed(2)} × bare)`, isKept: own < theirs };
  });
}

function isPeer({ name }: Contender): boolean {
  return name !== BARE && name !== HOLDFAST && name !== HOLDFAST_ASKING;
}

/** In, the guard alone is asked for: it is the dearest duty, and no peer has another. Out, all of them. */
function doesAsMuch({ duties }: Contender, direction: Direction): boolean {
  if (direction === 'inbound') return duties.inbound.includes('guards');
  const own = CONTENDERS.find(({ name }) => name === HOLDFAST)!.duties.outbound;
  return own.every((duty) => duties.outbound.includes(duty));
}

function figureOf(payload: Payload['name'], direction: Direction, contender: string): Figure {
  return figures.find((f) => f.payload === payload && f.direction === direction && f.contender === contender)!;
}

// ---- telling

function report(): object {
  return {
    benchmark: 'dispatch',
    machine: machine(),
    rounds: LAUNCHES * ROUNDS,
    messages: MESSAGES,
    verdicts,
    figures,
  };
}

function print(): void {
  console.log(machineLine(machine()));
  console.log(
    `packages/core as built, dist/index.mjs; ${LAUNCHES} launches of ${ROUNDS} rounds of ${MESSAGES} messages`,
  );
  for (const { name: payload } of PAYLOADS) {
    for (const direction of DIRECTIONS) {
      console.log(`\n${direction}, ${payload}\n`);
      const rows = CONTENDERS.map(({ name, duties }) => {
        const { nanoseconds, ratio } = figureOf(payload, direction, name);
        const [low, high] = ratio.quartiles.map((value) => value.toFixed(2));
        const does = duties[direction].join(', ');
        return [name, nanoseconds.median.toFixed(1), ratio.median.toFixed(2), `${low} to ${high}`, does];
      });
      console.log(table(['contender', 'ns', '× bare', 'quartiles', 'does'], rows, new Set([1, 2, 3])));
    }
  }
  console.log('');
  for (const { what, isKept } of verdicts) console.log(`${isKept ? 'kept' : 'BROKEN'}  ${what}`);
  if (peersOf('outbound').length === 0) console.log('none    outbound: no peer does as much');
}
