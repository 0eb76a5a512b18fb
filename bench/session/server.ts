// The server's end of a link, in a process of its own. It tells its port, and serves one client. Arguments: who it is.

import { createServer, memoryStore, type Peer, type Session } from '@holdfast/server';
import { serveOrders, WINDOW, type Contender, type Payload } from './ends.ts';

if (!import.meta.resolve('@holdfast/server').endsWith('/dist/index.mjs')) throw new Error('not the built server');

const [contender] = process.argv.slice(2) as [Contender];
let peer: Peer | undefined;
let session: Session | undefined;

/** As an application writes it: one after the other, and on when there is room. */
async function sendInSession(to: Session, { messages }: Payload, count: number): Promise<void> {
  for (let i = 0; i < count;) {
    if (await to.send(messages[i % messages.length]!)) i++;
    else await new Promise<void>((resolve) => to.once('writable', resolve));
  }
}

/** Nobody tells when a socket has drained, so it is looked at once in each turn of the loop. */
function sendPlainly(to: Peer, payload: Payload, count: number, sent: number): void {
  const { messages } = payload;
  for (; sent < count && to.bufferedAmount < WINDOW.bytes; sent++) to.send(messages[sent % messages.length]!);
  if (sent < count) setImmediate(sendPlainly, to, payload, count, sent);
}

const orders = serveOrders({
  send(payload, count) {
    if (session) void sendInSession(session, payload, count);
    else sendPlainly(peer!, payload, count, 0);
  },
});

const server = createServer({
  port: 0,
  host: '127.0.0.1',
  budget: false,
  ...(contender === 'session' && {
    sessions: {
      store: memoryStore(),
      authorize: () => 'somebody',
      handle: ({ data }) => orders.received(data.length),
    },
  }),
});
server.on('connection', (visitor) => {
  peer = visitor;
  visitor.on('message', (data) => orders.received(data.length));
});
server.on('session', (visitor) => (session = visitor));
server.on('error', (error) => console.error(error));
await server.listening();
process.send!({ port: server.port });
