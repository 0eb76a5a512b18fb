// How does a test get a Redis of its own? A real redis-server on a free port, that can be killed and come back.

import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

export interface RedisServer {
  readonly port: number;
  readonly url: string;
  /** Where it keeps what it writes. */
  readonly folder: string;
  /** Ends it in order. What it had in memory is gone unless it writes a file. */
  stop(): Promise<void>;
  /** Ends it at once, as a power cut does. */
  kill(): Promise<void>;
  /** Stops it where it is: connections stay, nothing is answered. */
  freeze(): void;
  thaw(): void;
  /** Starts it again, on the same port and folder. */
  start(): Promise<void>;
  /** Ends it and removes its folder. May be called twice. */
  dispose(): Promise<void>;
}

export interface RedisServerOptions {
  /** Writes each command to a file before it answers, so that `kill` and `start` lose nothing. Off by default. */
  readonly appendonly?: boolean;
  /** More for the command line. */
  readonly args?: readonly string[];
}

export async function startRedis({ appendonly = false, args = [] }: RedisServerOptions = {}): Promise<RedisServer> {
  const folder = await mkdtemp(join(tmpdir(), 'holdfast-redis-'));
  const port = await freePort();
  const own = ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--dir', folder];
  const durable = ['--appendonly', appendonly ? 'yes' : 'no', '--appendfsync', 'always'];
  let child = await run([...own, ...durable, ...args]);

  return {
    port,
    url: `redis://127.0.0.1:${port}`,
    folder,
    stop: () => end('SIGTERM'),
    kill: () => end('SIGKILL'),
    freeze: () => void child.kill('SIGSTOP'),
    thaw: () => void child.kill('SIGCONT'),
    async start() {
      child = await run([...own, ...durable, ...args]);
    },
    async dispose() {
      await end('SIGKILL');
      await rm(folder, { recursive: true, force: true });
    },
  };

  async function end(signal: NodeJS.Signals): Promise<void> {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, 'exit');
    child.kill(signal);
    await exited;
  }
}

async function run(args: readonly string[]): Promise<ChildProcess> {
  const child = spawn('redis-server', args, { stdio: ['ignore', 'pipe', 'ignore'] });
  const said: string[] = [];
  try {
    // the process is there, or there is no such program
    await once(child, 'spawn');
  } catch (cause) {
    throw new Error('these tests need a redis-server 7 or newer in the PATH: apt-get install redis-server', { cause });
  }
  for await (const line of createInterface(child.stdout!)) {
    said.push(line);
    if (line.includes('Ready to accept connections')) {
      child.stdout!.resume();
      return child;
    }
  }
  throw new Error(`redis-server did not start:\n${said.join('\n')}`);
}

/** A port that was free a moment ago. */
export async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port } = probe.address() as AddressInfo;
  probe.close();
  await once(probe, 'close');
  return port;
}
