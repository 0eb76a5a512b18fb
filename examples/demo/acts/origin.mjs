// Can any web page connect? Only those of the Origin allowlist; the others are refused before the upgrade.

import { connect } from '@holdfast/node';
import { createServer } from '@holdfast/server';

export const title = 'An Origin outside the list';

export function serve() {
  const server = createServer({ port: 0, host: '127.0.0.1', origins: ['https://app.example.com'] });
  let connections = 0;
  const refused = [];
  server.on('connection', () => connections++);
  server.on('refused', ({ status, reason, origin }) => refused.push({ status, reason, origin }));
  return { server, seen: () => ({ connections, refused }) };
}

export async function run(stage) {
  const server = await stage.serve();

  // a browser sets this header by itself and no page can change it
  const good = stage.closeAtEnd(connect(server.url(), { headers: { Origin: 'https://app.example.com' } }));
  await good.opened();

  const bad = stage.closeAtEnd(connect(server.url(), { headers: { Origin: 'https://app.example.com.evil.test' } }));
  const [close, end] = await Promise.all([stage.next(bad, 'close'), stage.next(bad, 'end')]);

  const { connections, refused } = await server.ask('seen');
  stage.say('Origin: https://app.example.com            101, open');
  stage.say(`Origin: https://app.example.com.evil.test  ${close.status}, and the client ends: ${end.reason}`);
  return {
    summary: `listed: open; look-alike: ${close.status} before the upgrade`,
    figures: { status: close.status },
    rows: [
      { promise: 'a listed Origin comes in', found: good.status, held: good.status === 'open' },
      { promise: 'another is answered 403', found: String(close.status), held: close.status === 403 },
      { promise: 'and the client does not keep trying', found: end.reason, held: end.reason === 'refused' },
      {
        promise: 'the server let in one and says why it refused the other',
        found: `${connections} in, refused for its ${refused[0]?.reason}`,
        held: connections === 1 && refused.length === 1 && refused[0].reason === 'origin',
      },
    ],
  };
}
