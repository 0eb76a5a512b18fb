// A server that can be killed: it writes down every message the moment it arrives, so that its word outlives it.
// usage: node numbered-server.mjs PORT FILE; tells its port by IPC when it listens, answers 'cut' by cutting all clients.
import { openSync, writeSync } from 'node:fs';
import { WebSocketServer } from 'ws';

const [, , port, file] = process.argv;
const book = openSync(file, 'a');
const server = new WebSocketServer({ host: '127.0.0.1', port: Number(port) });
const arrivals = [];
server.on('connection', (socket) => {
  arrivals.push(performance.now());
  socket.on('message', (data) => writeSync(book, `${data.toString()}\n`));
  socket.on('error', () => {});
});
server.on('listening', () => process.send({ port: server.address().port }));
process.on('message', (order) => {
  if (order !== 'cut') return process.send({ arrivals: arrivals.splice(0) });
  arrivals.length = 0;
  const cutAt = performance.now();
  for (const socket of server.clients) socket.terminate();
  process.send({ cutAt });
});
