// Is it really a WebSocket handshake? Done by hand here, with nothing but node:http, against @holdfast/server.

import { createHash, randomBytes } from 'node:crypto';
import { request } from 'node:http';
import { createServer } from '@holdfast/server';

export const title = 'The upgrade, by hand';

/** RFC 6455 §1.3: what a server appends to the key, so that no server says yes by accident. */
const GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';

export function serve() {
  return { server: createServer({ port: 0, host: '127.0.0.1', protocols: ['chat.v2'] }) };
}

export async function run(stage) {
  const server = await stage.serve();
  const key = randomBytes(16).toString('base64');
  const dial = request({
    port: server.port,
    host: '127.0.0.1',
    headers: {
      Connection: 'Upgrade',
      Upgrade: 'websocket',
      'Sec-WebSocket-Version': '13',
      'Sec-WebSocket-Key': key,
      'Sec-WebSocket-Protocol': 'chat.v1, chat.v2',
    },
  });
  // listeners first: p-event hears the first of several arguments, the response
  const upgraded = stage.next(dial, 'upgrade');
  dial.once('upgrade', (_response, socket) => socket.destroy());
  dial.end();
  const { statusCode, headers } = await upgraded;

  const accept = headers['sec-websocket-accept'];
  const expected = createHash('sha1')
    .update(key + GUID)
    .digest('base64');
  stage.say(`Sec-WebSocket-Key     ${key}  (16 random bytes of ours)`);
  stage.say(`Sec-WebSocket-Accept  ${accept}  (the server's)`);
  stage.say(`recomputed            ${expected}  (base64 of the SHA-1 of key + GUID, RFC 6455 §4.2.2)`);

  const agreed = headers['sec-websocket-protocol'];
  return {
    summary: `${statusCode}, accept value recomputed and equal`,
    figures: { key, accept, expected },
    rows: [
      { promise: 'the server switches protocols', found: `HTTP ${statusCode}`, held: statusCode === 101 },
      { promise: 'the accept value follows from the key', found: String(accept), held: accept === expected },
      { promise: 'it picks a subprotocol that both know', found: String(agreed), held: agreed === 'chat.v2' },
    ],
  };
}
