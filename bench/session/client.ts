// The client's end of a link, in a process of its own. Arguments: who it is, and the address.

import { connect } from '@holdfast/node';
import { session } from '@holdfast/session';
import { serveOrders, WINDOW, type Contender, type Payload } from './ends.ts';

if (!import.meta.resolve('@holdfast/node').endsWith('/dist/index.mjs')) throw new Error('not the built client');

const [contender, url] = process.argv.slice(2) as [Contender, string];
const client = connect(url, contender === 'session' ? { session: session() } : {});
let payload: Payload;
let left = 0;
let next = 0;

/** What is refused was not taken, and is offered again when there is room. */
function sendInSession(): void {
  while (left > 0 && client.send(payload.messages[next]!) !== false) taken();
}

/** Nobody tells when a socket has drained, so it is looked at once in each turn of the loop. */
function sendPlainly(): void {
  while (left > 0 && client.bufferedAmount < WINDOW.bytes) {
    client.send(payload.messages[next]!);
    taken();
  }
  if (left > 0) setImmediate(sendPlainly);
}

function taken(): void {
  left--;
  next = (next + 1) % payload.messages.length;
}

const send = contender === 'session' ? sendInSession : sendPlainly;
const orders = serveOrders({
  send(given, count) {
    payload = given;
    left = count;
    next = 0;
    send();
  },
});
client.on('message', (data) => orders.received(data.length));
if (contender === 'session') client.on('writable', sendInSession);
client.on('error', (error) => console.error(error));
client.on('close', ({ code, reason }) => {
  console.error(`the link ended: ${code} ${reason}`);
  process.exit(1);
});
await client.opened();
process.send!('ready');
