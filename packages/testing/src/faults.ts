// What does each path of the fault server do wrong?

import { STATUS_CODES, type IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import type { WebSocket } from 'ws';

/** What has to be decided before a WebSocket is there. */
export type Manners = 'usual' | 'silent' | 'second protocol';

/**
 * Answers the request to upgrade. `undefined` if that was all; else the upgrade goes on.
 *
 * - `/status/403` refuses with that status. `?retry-after=`, `?date=` and `?location=` become headers of that name;
 *   `?endless` adds a body that never ends.
 * - `/hang` never answers.
 * - `/drop` destroys the connection.
 * - `/wrong-accept` upgrades with a key that proves nothing (RFC 6455 §4.1).
 * - `/protocol` chooses the second subprotocol that is offered; all others choose none.
 * - `/silent` answers nothing, and no ping frame either.
 */
export function beforeUpgrade(url: URL, request: IncomingMessage, socket: Duplex): Manners | undefined {
  const [, name = '', argument] = url.pathname.split('/');
  switch (name) {
    case 'status':
      refuse(Number(argument), url.searchParams, socket);
      return undefined;
    case 'hang':
      return undefined;
    case 'drop':
      socket.destroy();
      return undefined;
    case 'wrong-accept':
      socket.write(
        'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n' +
          `Sec-WebSocket-Accept: ${request.headers['sec-websocket-key']}\r\n\r\n`,
      );
      return undefined;
    case 'protocol':
      return 'second protocol';
    case 'silent':
      return 'silent';
    default:
      return 'usual';
  }
}

/**
 * Behaves on a WebSocket that was opened a moment ago. What is sent here at once is in one segment with the 101.
 *
 * - `/echo`, and every path that is not listed, sends back what it receives.
 * - `/greet` sends `greeting`, or as many as `/greet/3` says: `greeting 0`, `greeting 1`, `greeting 2`.
 * - `/headers` sends the request's headers as JSON.
 * - `/bytes/1000` sends one binary message of that many bytes, the n-th of which is n modulo 251.
 * - `/burst/1000` sends that many messages: texts of their number, and each third one binary, of one byte.
 * - `/last-words/100` does the same and closes at once with 4001.
 * - `/fragments` sends `one message`, in three frames with a ping between them.
 * - `/ping` sends a ping frame.
 * - `/ticker` sends `tick` every 2 ms.
 * - `/close/4000?reason=x` closes; `/close-nocode` does so without a code.
 * - `/terminate` destroys the connection at the first message; `/fin` ends its stream, also without a close frame.
 * - `/garbage` sends a frame with an opcode that is not defined; `/bad-utf8` a text that is none.
 * - `/protocol` and `/silent` see {@link beforeUpgrade}; `/protocol` echoes.
 * - `/frozen` reads nothing, or nothing for as many milliseconds as `?for=` says. It does not notice either that the
 *   client has gone.
 */
export function behave(url: URL, request: IncomingMessage, ws: WebSocket, socket: Duplex): void {
  const [, name = '', argument] = url.pathname.split('/');
  switch (name) {
    case 'greet':
      if (argument === undefined) ws.send('greeting');
      else for (let i = 0; i < Number(argument); i++) ws.send(`greeting ${i}`);
      echo(ws);
      return;
    case 'headers':
      ws.send(JSON.stringify(request.headers));
      return;
    case 'bytes':
      ws.send(pattern(Number(argument)));
      return;
    case 'burst':
      burst(ws, Number(argument));
      return;
    case 'last-words':
      burst(ws, Number(argument));
      ws.close(4001, 'last words');
      return;
    case 'fragments':
      ws.send('one', { fin: false });
      ws.ping();
      ws.send(' mess', { fin: false });
      ws.send('age');
      return;
    case 'ping':
      ws.ping('are you there?');
      echo(ws);
      return;
    case 'ticker': {
      const ticker = setInterval(() => ws.send('tick'), 2);
      ws.on('close', () => clearInterval(ticker));
      return;
    }
    case 'close':
      ws.close(Number(argument), url.searchParams.get('reason') ?? '');
      return;
    case 'close-nocode':
      ws.close();
      return;
    case 'terminate':
    case 'fin':
      ws.once('message', () => {
        if (name === 'terminate') ws.terminate();
        else socket.end(); // past the WebSocket, so that no close frame is sent
      });
      return;
    case 'garbage':
      socket.write(Uint8Array.of(0x83, 0)); // the whole frame: opcode 3, no bytes
      return;
    case 'bad-utf8':
      socket.write(Uint8Array.of(0x81, 1, 0xff)); // the whole frame: a text of one byte that begins no character
      return;
    case 'silent':
      return;
    case 'frozen': {
      ws.pause();
      const duration = url.searchParams.get('for');
      if (duration === null) return;
      const thaw = setTimeout(() => ws.resume(), Number(duration));
      ws.on('close', () => clearTimeout(thaw));
      return;
    }
    default:
      echo(ws);
  }
}

function echo(ws: WebSocket): void {
  ws.on('message', (data, binary) => ws.send(data as Buffer, { binary }));
}

function burst(ws: WebSocket, count: number): void {
  for (let i = 0; i < count; i++) ws.send(i % 3 === 2 ? Uint8Array.of(i % 256) : String(i));
}

function pattern(length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  for (let n = 0; n < length; n++) bytes[n] = n % 251;
  return bytes;
}

function refuse(status: number, query: URLSearchParams, socket: Duplex): void {
  let head = `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? 'Unknown'}\r\n`;
  for (const name of ['retry-after', 'date', 'location']) {
    const value = query.get(name);
    if (value !== null) head += `${name}: ${value}\r\n`;
  }
  if (!query.has('endless')) {
    socket.end(`${head}content-length: 0\r\nconnection: close\r\n\r\n`);
    return;
  }
  socket.write(`${head}\r\n`);
  const block = Buffer.alloc(64 * 1024);
  // as fast as it is taken, until the client ends the connection
  const pour = (): void => {
    while (!socket.destroyed && socket.write(block));
  };
  socket.on('drain', pour);
  pour();
}
