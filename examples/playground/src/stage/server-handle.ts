// How is a server killed, restarted and drained from outside?

import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

/** What the server's process is told. */
export interface Order {
  readonly order: 'listen' | 'drain';
  /** To listen on; 0 for any. */
  readonly port: number;
}

/** What it tells: that it has loaded, and that it listens. */
export interface Report {
  readonly is: 'ready' | 'listening';
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
  /** As a deploy does it: the old one sends everybody away and ends, and the next one is ready to take its place. */
  drain(): Promise<void>;
}

export async function createServerHandle(): Promise<ServerHandle> {
  let child = await load();
  const port = await listen(child, 0);

  const isUp = (): boolean => child.exitCode === null && child.signalCode === null;

  async function end(ask: () => void): Promise<void> {
    if (!isUp()) return;
    const gone = once(child, 'exit');
    ask();
    await gone;
  }

  const kill = (): Promise<void> => end(() => child.kill('SIGKILL'));

  async function replace(endOld: () => Promise<void>): Promise<void> {
    const next = await load();
    await endOld();
    child = next;
    await listen(child, port);
  }

  return {
    get isUp() {
      return isUp();
    },
    port,
    kill,
    restart: () => replace(kill),
    drain: () => replace(() => end(() => child.send({ order: 'drain', port } satisfies Order))),
  };
}

/** A process that has loaded the server, and waits for the word. */
async function load(): Promise<ChildProcess> {
  const child = fork(fileURLToPath(new URL('./server-process.ts', import.meta.url)));
  await reportOf(child);
  return child;
}

async function listen(child: ChildProcess, port: number): Promise<number> {
  const listening = reportOf(child);
  child.send({ order: 'listen', port } satisfies Order);
  return (await listening).port;
}

function reportOf(child: ChildProcess): Promise<Report> {
  return new Promise((resolve, reject) => {
    const failed = (code: number | null): void =>
      reject(new Error(`the server's process ended with ${code} before it listened`));
    child.once('exit', failed);
    child.once('message', (report: Report) => {
      child.off('exit', failed);
      resolve(report);
    });
  });
}
