// wss, with a certificate made on the spot: is it encrypted, and is a certificate that nobody vouches for refused?

import { connect } from '@holdfast/node';
import { createServer } from '@holdfast/server';
import { generate } from 'selfsigned';

export const title = 'wss';

export function serve({ tls }) {
  const server = createServer({ port: 0, host: '127.0.0.1', tls });
  const session = new Promise((resolve) => {
    server.on('connection', (peer, { socket }) => {
      resolve({ encrypted: socket.encrypted, protocol: socket.getProtocol(), cipher: socket.getCipher().name });
      peer.on('message', (data) => peer.send(data));
    });
  });
  return { server, session: () => session };
}

export async function run(stage) {
  const certificate = await generate([{ name: 'commonName', value: 'localhost' }], {
    keyType: 'ec',
    extensions: [{ name: 'subjectAltName', altNames: [{ type: 7, ip: '127.0.0.1' }] }],
  });
  const server = await stage.serve({ tls: { cert: certificate.cert, key: certificate.private } });
  const url = `wss://127.0.0.1:${server.port}`;

  const stranger = stage.closeAtEnd(connect(url, { reconnect: false }));
  const { cause } = await stage.next(stranger, 'close');

  const client = stage.closeAtEnd(connect(url, { tls: { ca: certificate.cert } }));
  client.send('over TLS');
  const echo = await stage.next(client, 'message');
  const { encrypted, protocol, cipher } = await server.ask('session');

  stage.say(`certificate made on the spot, SHA-1 fingerprint ${certificate.fingerprint}`);
  stage.say(`trusted by \`tls: { ca }\`: ${protocol}, ${cipher}; not trusted: ${cause?.code}`);
  return {
    summary: `${protocol}; untrusted: ${cause?.code}`,
    figures: { protocol, cipher },
    rows: [
      {
        promise: 'the link is encrypted, the server says',
        found: `${protocol}`,
        held: encrypted && protocol.startsWith('TLS'),
      },
      { promise: 'messages go there and back', found: echo, held: echo === 'over TLS' },
      {
        promise: 'a certificate that nobody vouches for is refused',
        found: String(cause?.code),
        held: cause?.code === 'DEPTH_ZERO_SELF_SIGNED_CERT',
      },
    ],
  };
}
