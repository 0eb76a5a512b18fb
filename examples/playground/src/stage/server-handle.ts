// How is a server killed, restarted and drained from outside?

import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

/** What the server's process is told, and what it tells when it listens. */
export type Order = 'drain';
export interface Report {
  readonly port: number;
}

export interface ServerHandle {
  readonly isUp: boolean;
  /** The same for all its lives. */
  readonly port: number;
  /** SIGKILL: nothing is said to anybody. Resolves when the process is gone. */
  kill(): Promise<void>;
  /** Kills it if it is up, and starts the next one on the same port. Resolves when that listens. */
  restart(): Promise<void>;
  /** As a deploy does it: the old one sends everybody away and ends, and then the next one starts. */
  drain(): Promise<void>;
}

export async function createServerHandle(): Promise<ServerHandle> {
  let { child, port } = await start(0);

  const isUp = (): boolean => child.exitCode === null && child.signalCode === null;

  async function kill(): Promise<void> {
    if (!isUp()) return;
    const gone = once(child, 'exit');
    child.kill('SIGKILL');
    await gone;
  }

  async function restart(): Promise<void> {
    await kill();
    ({ child, port } = await start(port));
  }

  return {
    get isUp() {
      return isUp();
    },
    get port() {
      return port;
    },
    kill,
    restart,
    async drain() {
      if (isUp()) {
        const gone = once(child, 'exit');
        child.send('drain' satisfies Order);
        await gone;
      }
      await restart();
    },
  };
}

/** Resolves when it listens. */
async function start(port: number): Promise<{ child: ChildProcess; port: number }> {
  const child = fork(fileURLToPath(new URL('./server-process.ts', import.meta.url)), [String(port)]);
  const failed = once(child, 'exit').then(([code]) => {
    throw new Error(`the server's process ended with ${code} before it listened`);
  });
  const listens = once(child, 'message').then(([report]) => report as Report);
  const report = await Promise.race([listens, failed]);
  failed.catch(() => {}); // whenever it ends from here on is no failure to start
  return { child, port: report.port };
}
