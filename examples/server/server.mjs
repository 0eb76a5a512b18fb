// What does a server need that others can reach? An Origin allowlist, TLS, heartbeats, bounds, and a good way to leave.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createServer } from '@holdfast/server';
import { generate } from 'selfsigned';

const port = Number(process.env.PORT ?? 8443);
const interval = Number(process.env.HEARTBEAT_INTERVAL ?? 30_000);

// Made on the spot, for this machine only. In production give the files of a real certificate.
const { cert, private: key } = await generate([{ name: 'commonName', value: 'localhost' }], {
  keyType: 'ec',
  extensions: [
    {
      name: 'subjectAltName',
      altNames: [
        { type: 2, value: 'localhost' },
        { type: 7, ip: '127.0.0.1' },
      ],
    },
  ],
});

const server = createServer({
  port,
  host: '127.0.0.1',
  tls: { cert, key },
  // Pages of this machine on any port; add your own. Clients that are no browser send no Origin and may come in.
  origins: process.env.ORIGINS?.split(',') ?? ['https://localhost:*', 'http://localhost:*'],
  // A text `ping` is answered with `pong`; and we ping too, and let go of whoever has gone silent.
  heartbeat: { interval, timeout: interval / 3 },
});

server.on('connection', (peer) => {
  console.log(`${peer.address} came in, ${server.peers.size} here`);
  peer.on('message', (data) => peer.send(data));
  peer.on('close', ({ code }) => console.log(`${peer.address} left with ${code}`));
});
server.on('refused', ({ status, reason, origin }) =>
  console.log(`refused with ${status} for its ${reason}: ${origin}`),
);
server.on('error', ({ code, message }) => console.log(`${code}: ${message}`));

await server.listening();
const folder = mkdtempSync(join(tmpdir(), 'holdfast-server-'));
process.once('exit', () => rmSync(folder, { recursive: true }));
const certificate = join(folder, 'certificate.pem');
writeFileSync(certificate, cert);

console.log(`
listening on   wss://localhost:${server.port}
certificate    ${certificate}

try it         node try.mjs wss://localhost:${server.port} ${certificate}
               node try.mjs wss://localhost:${server.port} ${certificate} https://evil.example   (refused)
in a browser   open https://localhost:${server.port}, accept the certificate (it answers 426), then in its console
               new WebSocket(location.href.replace('https', 'wss')).onopen = () => console.log('open')
send away      kill ${process.pid}
`);

// A deploy ends us like this. Everybody is told when to come back, one after the other over 5 s, and then we are gone.
for (const signal of ['SIGTERM', 'SIGINT']) {
  process.once(signal, leave);
}

function leave() {
  void server.drain({ over: 5_000 }).then((told) => console.log(`drained, ${told} sent away`));
}
