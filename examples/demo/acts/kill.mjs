// What becomes of 100 messages when their server hangs among them, is killed, and is away for 3 s?

import { appendFileSync, readFileSync } from 'node:fs';
import { setInterval, setTimeout } from 'node:timers/promises';
import { connect } from '@holdfast/node';
import { createServer } from '@holdfast/server';

export const title = 'SIGKILL, 3 s away';

const COUNT = 100;
const FLUSHED = 10;
const FROZEN_AFTER = 12;
const KILLED_AFTER = 15;

/** Each message is on its way to the disk before the next is read, so the file outlives the process and never says less. */
export function serve({ port = 0, log }) {
  const server = createServer({ port, host: '127.0.0.1' });
  server.on('connection', (peer) => peer.on('message', (number) => appendFileSync(log, `${String(number)}\n`)));
  return { server };
}

export async function run(stage) {
  const log = stage.temporaryFile('received');
  const first = await stage.prepare();
  await first.begin({ log });
  const second = await stage.prepare();

  // the first wait is a random part of 250 ms; the default is 2.5 s
  const client = stage.closeAtEnd(connect(first.url(), { reconnect: { initialDelay: 250, maxDelay: 1_000 } }));
  const told = { sent: 0, queued: 0, refused: 0, dropped: 0, unconfirmed: 0 };
  client.on('drop', () => told.dropped++);
  client.on('close', ({ unconfirmed }) => (told.unconfirmed += unconfirmed ?? Infinity));
  await client.opened();

  async function killAndRestart() {
    await first.kill();
    await setTimeout(3_000);
    await second.begin({ port: first.port, log });
  }

  let back;
  let number = 0;
  for await (const _ of setInterval(40)) {
    told[client.send(String(++number)) || 'refused']++;
    if (number === FLUSHED) await client.flush(); // these have arrived, proven by the reply to a ping behind them
    // a server that hangs before it dies has taken in messages that nobody will read: those are lost
    if (number === FROZEN_AFTER) first.freeze();
    if (number === KILLED_AFTER) {
      back = killAndRestart();
      back.catch(() => {}); // heard below, where it is awaited
    }
    if (number === COUNT) break;
  }
  await back;
  await client.opened();
  await client.flush();

  const received = readFileSync(log, 'utf8').trim().split('\n').map(Number);
  const flushed = received.filter((each) => each <= FLUSHED);
  const delivered = new Set(received).size;
  const lost = COUNT - delivered;
  const duplicated = received.length - delivered;
  const { sent, queued, refused, dropped, unconfirmed } = told;
  stage.say(
    `one message every 40 ms; the first ${FLUSHED} are flushed; the server hangs after ${FROZEN_AFTER}, is killed after ${KILLED_AFTER}`,
  );
  stage.table(
    ['', 'sent', 'queued', 'delivered', 'unconfirmed', 'lost', 'duplicated'],
    ['the client said', sent, queued, '', unconfirmed, '', ''],
    ["the server's file", '', '', delivered, '', lost, duplicated],
  );
  return {
    summary: `${delivered} of ${COUNT} delivered, ${lost} lost of ${unconfirmed} unconfirmed, ${duplicated} twice`,
    figures: { ...told, delivered, lost, duplicated },
    rows: [
      {
        promise: 'every send was told its fate at the call',
        found: `${sent} sent, ${queued} queued, ${refused} refused`,
        held: sent + queued === COUNT && queued > 0,
      },
      {
        promise: 'no more is lost than the client said',
        found: `${lost} lost, ${unconfirmed} unconfirmed, ${dropped} dropped`,
        held: lost <= unconfirmed + dropped,
      },
      {
        promise: 'what was flushed has arrived',
        found: `${flushed.length} of ${FLUSHED}`,
        held: flushed.length === FLUSHED,
      },
      {
        promise: 'nothing comes twice or out of order',
        found: `${duplicated} duplicated`,
        held: received.every((each, i) => i === 0 || each > received[i - 1]),
      },
    ],
  };
}
