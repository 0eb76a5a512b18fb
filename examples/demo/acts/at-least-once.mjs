// The same SIGKILL, with messages that are held until they are proven: is everything there, and how much of it twice?

import { connect } from '@holdfast/node';
import { createServer } from '@holdfast/server';
import {
  COUNT,
  RECONNECT,
  STORY,
  createMortalServer,
  readNumbers,
  reckon,
  sendThrough,
  write,
} from '../stage/outage.mjs';

export const title = 'The same, at least once';

export function serve({ port = 0, log }) {
  const server = createServer({ port, host: '127.0.0.1' });
  server.on('connection', (peer) => peer.on('message', (number) => write(log, number)));
  return { server };
}

export async function run(stage) {
  const log = stage.temporaryFile('received');
  const { first, outage } = await createMortalServer(stage, { log });
  const client = stage.closeAtEnd(connect(first.url(), { delivery: 'at-least-once', reconnect: RECONNECT }));
  const told = await sendThrough(outage, client);

  const { delivered, lost, duplicated, isInOrder } = reckon(readNumbers(log));
  const { sent, queued, refused, dropped, unconfirmed } = told;
  stage.say(`the same, with delivery: 'at-least-once': ${STORY}`);
  stage.table(
    ['', 'sent', 'queued', 'delivered', 'sent again', 'lost', 'duplicated'],
    ['the client said', sent, queued, '', unconfirmed, '', ''],
    ["the server's file", '', '', delivered, '', lost, duplicated],
  );
  return {
    summary: `${delivered} of ${COUNT} delivered, ${lost} lost, ${duplicated} twice of ${unconfirmed} sent again`,
    figures: { ...told, delivered, lost, duplicated },
    rows: [
      {
        promise: 'every send was told its fate at the call',
        found: `${sent} sent, ${queued} queued, ${refused} refused`,
        held: sent + queued === COUNT && queued > 0,
      },
      { promise: 'nothing is lost', found: `${lost} lost, ${dropped} dropped`, held: lost + dropped === 0 },
      {
        promise: 'no more comes twice than was not proven',
        found: `${duplicated} twice, ${unconfirmed} sent again`,
        held: duplicated <= unconfirmed,
      },
      { promise: 'in order, but for what comes again', found: isInOrder ? 'yes' : 'no', held: isInOrder },
    ],
  };
}
