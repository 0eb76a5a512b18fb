// A token expires. Does the client come back with a fresh one, and stop where there is none?

import { randomUUID } from 'node:crypto';
import { connect } from '@holdfast/node';
import { createServer, deny } from '@holdfast/server';

export const title = 'A token that expires';

export function serve() {
  const expiries = new Map();
  const server = createServer({
    port: 0,
    host: '127.0.0.1',
    authorize(request) {
      const token = request.headers.authorization?.slice('Bearer '.length);
      const expiry = expiries.get(token);
      return expiry > Date.now() ? { expiry } : deny(401);
    },
  });
  let refusals = 0;
  server.on('refused', () => refusals++);
  // whoever is in when the token ends has to show a new one: 4401, after HTTP's 401
  server.on('connection', (peer) => {
    const timer = setTimeout(() => peer.close(4401, 'token expired'), peer.identity.expiry - Date.now());
    peer.once('close', () => clearTimeout(timer));
  });
  const issue = (lifetime) => {
    const token = randomUUID();
    expiries.set(token, Date.now() + lifetime);
    return token;
  };
  return { server, issue, refusals: () => refusals };
}

export async function run(stage) {
  const server = await stage.serve();
  const reconnect = { initialDelay: 200 }; // instead of 2.5 s
  const expired = await server.ask('issue', 0);

  /** Keeps its token until it is refused; a real one would ask its login service. */
  const withLogin = (token) =>
    stage.closeAtEnd(
      connect(server.url(), {
        reconnect,
        async headers({ lastClose }) {
          if (lastClose?.code === 4401 || lastClose?.status === 401) token = await server.ask('issue', 60_000);
          return { Authorization: `Bearer ${token}` };
        },
      }),
    );

  const inside = withLogin(await server.ask('issue', 2_000)); // expires while it is open
  const outside = withLogin(expired); // had expired before it was used
  const [insideClose, outsideClose] = await Promise.all([stage.next(inside, 'close'), stage.next(outside, 'close')]);
  await Promise.all([inside.opened(), outside.opened()]);

  const fixed = stage.closeAtEnd(connect(server.url(), { reconnect, headers: { Authorization: `Bearer ${expired}` } }));
  const end = await stage.next(fixed, 'end');
  const refusals = await server.ask('refusals');

  stage.say(`expired while open:    close ${insideClose.code} "${insideClose.reason}", fresh token, ${inside.status}`);
  stage.say(`expired before dialling: HTTP ${outsideClose.status}, fresh token, ${outside.status}`);
  stage.say(`nowhere to get a fresh one: the client ends, ${end.reason}`);
  return {
    summary: `healed after ${insideClose.code} and after HTTP ${outsideClose.status}; no provider: ${end.reason}`,
    figures: { refusals },
    rows: [
      {
        promise: 'heals after 4401',
        found: inside.status,
        held: insideClose.code === 4401 && inside.status === 'open',
      },
      {
        promise: 'heals after 401',
        found: outside.status,
        held: outsideClose.status === 401 && outside.status === 'open',
      },
      {
        promise: 'with a fixed token it ends and does not knock for ever',
        found: `${end.reason}, ${refusals} refusals in all`,
        held: end.reason === 'refused' && refusals === 2,
      },
    ],
  };
}
