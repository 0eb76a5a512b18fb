// What becomes of 100 messages when their server hangs among them, is killed, and is away for 3 s?

import { connect } from '@holdfast/node';
import { createServer } from '@holdfast/server';
import {
  COUNT,
  FLUSHED,
  RECONNECT,
  STORY,
  createMortalServer,
  readNumbers,
  reckon,
  sendThrough,
  write,
} from '../stage/outage.mjs';

export const title = 'SIGKILL, 3 s away';

export function serve({ port = 0, log }) {
  const server = createServer({ port, host: '127.0.0.1' });
  server.on('connection', (peer) => peer.on('message', (number) => write(log, number)));
  return { server };
}

export async function run(stage) {
  const log = stage.temporaryFile('received');
  const { first, outage } = await createMortalServer(stage, { log });
  const client = stage.closeAtEnd(connect(first.url(), { reconnect: RECONNECT }));
  const told = await sendThrough(outage, client);

  const received = readNumbers(log);
  const flushed = received.filter((each) => each <= FLUSHED);
  const { delivered, lost, duplicated, isInOrder } = reckon(received);
  const { sent, queued, refused, dropped, unconfirmed } = told;
  stage.say(STORY);
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
        held: duplicated === 0 && isInOrder,
      },
    ],
  };
}
