import { createServer } from '@holdfast/server';

const server = createServer({
  port: Number(process.argv[2] ?? 8080),
  origins: ['https://app.example.com'], // pages that may connect; Node sends no Origin
  authorize: ({ headers }) => headers.authorization === 'Bearer secret' && { user: 'ada' },
});
server.on('connection', (peer) => peer.on('message', (data) => peer.send(`${peer.identity.user}: ${String(data)}`)));
process.once('SIGTERM', () => void server.drain({ over: 5_000 })); // each client gets its own moment to come back
await server.listening();
console.log(`listening on ${server.port}`);
