// Do both ends talk at once? Each sends 200 numbers, one every millisecond, and waits for nobody.

import { setInterval } from 'node:timers/promises';
import { connect } from '@holdfast/node';
import { createServer } from '@holdfast/server';

export const title = 'Full duplex';

const COUNT = 200;
const inOrder = Array.from({ length: COUNT }, (_, i) => String(i + 1)).join();

export function serve() {
  const server = createServer({ port: 0, host: '127.0.0.1' });
  const done = new Promise((resolve) => server.once('connection', (peer) => resolve(talk(peer))));
  return { server, done: () => done };
}

export async function run(stage) {
  const server = await stage.serve();
  const client = stage.closeAtEnd(connect(server.url()));
  const ours = await talk(client, client.opened());
  const theirs = await server.ask('done');

  const { log } = ours;
  const turns = log.split('').filter((mark, i) => mark !== log[i - 1]).length;
  stage.say(`the client's log from its middle, > sent and < received:  ${log.slice(COUNT - 30, COUNT + 30)}`);
  return {
    summary: `${COUNT} each way in order, the direction changed ${turns} times`,
    figures: { turns, log },
    rows: [ours, theirs].flatMap(({ log: marks, received }, i) => {
      const who = ['client', 'server'][i];
      const sentWhenFirstHeard = marks.indexOf('<');
      return [
        {
          promise: `the ${who} heard all of it in order`,
          found: `${received.length} of ${COUNT}`,
          held: received.join() === inOrder,
        },
        {
          promise: `the ${who} was talking while it listened`,
          found: `first heard after sending ${sentWhenFirstHeard}, sent on while hearing`,
          held: sentWhenFirstHeard < COUNT && marks.lastIndexOf('>') > sentWhenFirstHeard,
        },
      ];
    }),
  };
}

/**
 * The same at both ends, since a client and a peer send and tell alike. It listens from the first moment: what the server
 * says upon the connection may come in the same segment as its yes.
 */
async function talk(end, ready) {
  let log = '';
  const received = [];
  const heardAll = new Promise((resolve) => {
    end.on('message', (number) => {
      log += '<';
      if (received.push(number) === COUNT) resolve();
    });
  });
  await ready;
  let sent = 0;
  for await (const _ of setInterval(1)) {
    end.send(String(++sent));
    log += '>';
    if (sent === COUNT) break;
  }
  await heardAll;
  return { log, received };
}
