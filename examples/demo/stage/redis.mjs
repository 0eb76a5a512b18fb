// Is there a Redis to be had here? One of our own, on a free port, in memory alone.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { createInterface } from 'node:readline';

/** @returns its `url` and a `close()`; undefined if there is no redis-server on the PATH */
export async function startRedis() {
  const port = await freePort();
  const flags = ['--port', port, '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no'];
  const child = spawn('redis-server', flags, { stdio: ['ignore', 'pipe', 'ignore'] });
  try {
    await once(child, 'spawn');
  } catch {
    return undefined; // no such program
  }
  const exited = once(child, 'exit');
  process.once('exit', () => child.kill('SIGKILL')); // also when the demo is cut short
  for await (const line of createInterface(child.stdout)) {
    if (!line.includes('Ready to accept connections')) continue;
    child.stdout.resume();
    return {
      url: `redis://127.0.0.1:${port}`,
      async close() {
        child.kill('SIGKILL');
        await exited;
      },
    };
  }
  return undefined; // it has ended: too old for the flags, or its port was taken
}

/** A port that was free a moment ago. */
async function freePort() {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port } = probe.address();
  probe.close();
  await once(probe, 'close');
  return port;
}
