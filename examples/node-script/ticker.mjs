// How does a script go on while its server is killed and restarted? It need not know: it sends, and is told each fate.

import { connect } from '@holdfast/node';

const COUNT = 12;
const url = process.env.TICKER_URL ?? 'ws://127.0.0.1:8080';

// Shorter than the defaults (heartbeat 30 s, first wait up to 2.5 s), so that there is something to watch.
const client = connect(url, {
  heartbeat: { interval: 500, timeout: 500 },
  reconnect: { initialDelay: 300, maxDelay: 600 },
});
client.on('status', (status) => console.log(`ticker: ${status}`));
client.on('drop', ({ data, reason }) => console.log(`ticker: tick ${String(data)} will not arrive: ${reason}`));
client.on('close', ({ opened, unconfirmed, asked }) => {
  if (opened && !asked) console.log(`ticker: link lost, ${unconfirmed ?? 'unknown'} unconfirmed`);
});

let tick = 0;
const timer = setInterval(() => {
  tick++;
  console.log(`ticker: tick ${tick} ${client.send(String(tick))}`);
  if (tick === COUNT) void finish();
}, 300);

/** Everything has arrived once `flush` resolves; then nothing keeps the process, which ends by itself. */
async function finish() {
  clearInterval(timer);
  await client.opened();
  await client.flush();
  await client.close();
}
