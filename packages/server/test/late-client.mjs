// A client in a thread of its own, which answers ping frames late: it says so by a message, and sets a flag afterwards.
import { parentPort, workerData } from 'node:worker_threads';
import { WebSocket } from 'ws';

const { port, answered, delay } = workerData;
const socket = new WebSocket(`ws://127.0.0.1:${port}/`, { autoPong: false });
socket.on('error', () => {});
socket.on('ping', () => {
  setTimeout(() => {
    parentPort.postMessage('about to answer');
    socket.pong('', true, () => {
      Atomics.store(answered, 0, 1);
      Atomics.notify(answered, 0);
    });
  }, delay);
});
