// `pnpm start`: server and ticker in a process each; the server is killed after tick 3 and is away for 1.5 s.

import { fork } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

const heard = new Set();

const first = await startServer(0);
const ticker = start('ticker.mjs', { TICKER_URL: `ws://127.0.0.1:${first.port}` });
const tickerExit = once(ticker, 'exit');

while (heard.size < 3) await once(first.child, 'message');
console.log('start:  the server is killed');
first.child.kill('SIGKILL');
await once(first.child, 'exit');
await setTimeout(1_500);
const second = await startServer(first.port);

const [tickerCode] = await tickerExit;
second.child.disconnect();
await once(second.child, 'exit');
console.log(`start:  the server heard ticks ${[...heard].join(' ')}`);

const [jobCode] = await once(start('side-job.mjs'), 'exit');
process.exitCode = tickerCode || jobCode;

async function startServer(port) {
  const child = start('server.mjs', { PORT: String(port) });
  child.on('message', ({ tick }) => {
    if (tick !== undefined) heard.add(tick);
  });
  const [message] = await once(child, 'message');
  return { child, port: message.port };
}

function start(script, env = {}) {
  return fork(fileURLToPath(new URL(script, import.meta.url)), { env: { ...process.env, ...env } });
}
