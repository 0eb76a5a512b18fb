// A deploy sends 200 clients away. Do they all come back at once, or one after the other?

import { connect } from '@holdfast/node';
import { createServer } from '@holdfast/server';

export const title = 'Draining 200 clients';

const CLIENTS = 200;
/** Milliseconds: each client gets its own moment in a stretch of 2 s, which begins 1 s after the drain. */
const WINDOW = { after: 1_000, over: 2_000 };
const BIN = 100;
/** How many of an even flow arrive in one bin. */
const SHARE = (CLIENTS * BIN) / WINDOW.over;
/** What a busy machine may add to the last arrival, in milliseconds. */
const LEEWAY = 1_000;

export function serve({ port = 0 }) {
  const server = createServer({ port, host: '127.0.0.1' });
  const arrivals = [];
  let hasAll;
  const allHere = new Promise((resolve) => (hasAll = resolve));
  server.on('connection', () => {
    if (arrivals.push(Date.now()) === CLIENTS) hasAll();
  });
  return {
    server,
    async drain() {
      const at = Date.now();
      return { at, told: await server.drain(WINDOW) };
    },
    arrivals: () => allHere.then(() => arrivals),
  };
}

export async function run(stage) {
  const old = await stage.prepare();
  await old.begin();
  const next = await stage.prepare(); // loaded, and waits for the port
  const clients = Array.from({ length: CLIENTS }, () => stage.closeAtEnd(connect(old.url())));
  await Promise.all(clients.map((client) => client.opened()));

  const slots = clients.map((client) => stage.next(client, 'close').then(({ delay }) => delay));
  const { at, told } = await old.ask('drain');
  await next.begin({ port: old.port });
  const arrivals = (await next.ask('arrivals')).map((time) => time - at);

  const bins = countPerBin(arrivals);
  const asked = countPerBin(await Promise.all(slots));
  stage.say(`drain({ after: 1000, over: 2000 }); arrivals at the next server per ${BIN} ms:`);
  const from = bins.findIndex((count) => count > 0);
  stage.say(`${`to ${from * BIN}`.padStart(7)} ms  nobody`);
  bins.slice(from).forEach((count, i) => {
    stage.say(`${String((from + i) * BIN).padStart(7)} ms  ${'#'.repeat(count).padEnd(20)} ${count}`);
  });

  const [earliest, latest, peak] = [Math.min(...arrivals), Math.max(...arrivals), Math.max(...bins)];
  const end = WINDOW.after + WINDOW.over;
  return {
    summary: `${arrivals.length} back from ${earliest} to ${latest} ms, at most ${peak} per ${BIN} ms`,
    figures: { told, earliest, latest, peak, bins },
    rows: [
      { promise: 'everybody was told', found: `${told} of ${CLIENTS}`, held: told === CLIENTS },
      { promise: 'everybody is back', found: `${arrivals.length}`, held: arrivals.length === CLIENTS },
      { promise: 'nobody before the window', found: `${earliest} ms`, held: earliest >= WINDOW.after - 5 },
      { promise: 'nobody long after it', found: `${latest} ms`, held: latest <= end + LEEWAY },
      {
        promise: 'each was given a moment of its own',
        found: `${Math.max(...asked)} of ${CLIENTS} in the fullest ${BIN} ms`,
        held: Math.max(...asked) <= SHARE + 1,
      },
      // whatever a busy machine makes of it: a herd would be all of them
      { promise: 'no herd arrives', found: `${peak} in the fullest ${BIN} ms`, held: peak <= CLIENTS / 3 },
    ],
  };
}

function countPerBin(times) {
  const bins = Array.from({ length: Math.floor(Math.max(...times) / BIN) + 1 }, () => 0);
  for (const time of times) bins[Math.floor(time / BIN)]++;
  return bins;
}
