// A client in a process of its own, to be killed. argv: the server's port.
import { WebSocket } from 'ws';

new WebSocket(`ws://127.0.0.1:${process.argv[2]}/`).on('error', () => {});
