// The story that three acts tell: what becomes of 100 numbers when the other end hangs among them, dies, and is away for 3 s?

import { appendFileSync, readFileSync } from 'node:fs';
import { setInterval, setTimeout } from 'node:timers/promises';

export const COUNT = 100;
/** Milliseconds from one number to the next. */
export const EVERY = 40;
export const FLUSHED = 10;
const HANGS_AFTER = 12;
const DIES_AFTER = 15;
/** Milliseconds between its death and its return. */
const AWAY = 3_000;

/** The story in a line, for whoever watches. */
export const STORY = `one message every ${EVERY} ms; the first ${FLUSHED} are flushed; the server hangs after ${HANGS_AFTER}, is killed after ${DIES_AFTER}`;

/** For a client's `reconnect`: the first wait is a random part of 250 ms; the default is 2.5 s. */
export const RECONNECT = { initialDelay: 250, maxDelay: 1_000 };

/**
 * @typedef {object} Outage
 * @property {() => unknown} hang
 * @property {() => unknown} die
 * @property {() => unknown} comeBack
 *
 * A server in a process that will be killed; another process takes its port over.
 * @returns {Promise<{ first: object, second: () => object, outage: Outage }>} `second` once it is back
 */
export async function createMortalServer(stage, options) {
  const first = await stage.prepare();
  await first.begin(options);
  let loading;
  let second;
  const outage = {
    // a server that hangs before it dies has taken in messages that nobody will read
    hang: () => first.freeze(),
    async die() {
      await first.kill();
      loading = stage.prepare(); // while nobody is there
      loading.catch(() => {}); // heard below
    },
    async comeBack() {
      second = await loading;
      await second.begin({ ...options, port: first.port });
    },
  };
  return { first, second: () => second, outage };
}

/**
 * Resolves when all is over and everything that can be proven is.
 * @param {Outage} outage
 * @returns what the client said of its messages
 */
export async function sendThrough(outage, client) {
  const told = { sent: 0, queued: 0, refused: 0, dropped: 0, unconfirmed: 0 };
  client.on('drop', () => told.dropped++);
  client.on('close', ({ unconfirmed }) => (told.unconfirmed += unconfirmed ?? Infinity));
  await client.opened();

  async function goAndComeBack() {
    await outage.die();
    await setTimeout(AWAY);
    await outage.comeBack();
  }

  let back;
  let number = 0;
  for await (const _ of setInterval(EVERY)) {
    told[client.send(String(++number)) || 'refused']++;
    if (number === FLUSHED) await client.flush(); // these have arrived: proven
    if (number === HANGS_AFTER) outage.hang();
    if (number === DIES_AFTER) {
      back = goAndComeBack();
      back.catch(() => {}); // heard below, where it is awaited
    }
    if (number === COUNT) break;
  }
  await back;
  await client.opened();
  await client.flush();
  return told;
}

/** One number is on its way to the disk before the next is read, so the file outlives the process and never says less. */
export function write(log, number) {
  appendFileSync(log, `${String(number)}\n`);
}

export function readNumbers(log) {
  return readFileSync(log, 'utf8').trim().split('\n').map(Number);
}

/** What arrived, held against what was sent. */
export function reckon(received) {
  const firsts = [...new Set(received)]; // in the order in which each came first
  return {
    delivered: firsts.length,
    lost: COUNT - firsts.length,
    duplicated: received.length - firsts.length,
    isInOrder: firsts.every((each, i) => i === 0 || each > firsts[i - 1]),
  };
}
