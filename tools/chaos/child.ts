// How does a part of the chaos run live in a process of its own, that can be killed, stopped and asked?

import { fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createBirpc } from 'birpc';
import { build } from 'esbuild';
import { READY } from './in-child.ts';

/** A process that is stopped for a while, or settles after much, may take as long; one that was killed never answers. */
const LONGEST_ANSWER = 300_000;

/** What can be asked over there. */
type Asked<Remote extends object> = ReturnType<typeof createBirpc<Remote, object>>;

export interface Child<Remote extends object> {
  readonly ask: Asked<Remote>;
  /** SIGKILL; resolves when it is gone. */
  kill(): Promise<void>;
  /** Nobody asks any more, so it goes; resolves when it is gone. */
  end(): Promise<void>;
  freeze(): void;
  thaw(): void;
}

/** The programs of this folder, each in one file, since a killed server should be back at once. */
export async function buildPrograms<Name extends string>(
  names: readonly Name[],
  folder: string,
): Promise<Readonly<Record<Name, string>>> {
  const outputs = names.map(async (name) => {
    const outfile = join(folder, `${name}.cjs`);
    await build({
      entryPoints: [fileURLToPath(new URL(`./${name}.ts`, import.meta.url))],
      tsconfig: fileURLToPath(new URL('../../tsconfig.base.json', import.meta.url)),
      platform: 'node',
      target: 'node20',
      bundle: true,
      outfile,
      logLevel: 'error',
    });
    return [name, outfile] as const;
  });
  return Object.fromEntries(await Promise.all(outputs)) as Record<Name, string>;
}

/** Starts a program with `how` as its only argument; resolves when it can be asked. */
export async function startChild<Remote extends object>(program: string, how: unknown): Promise<Child<Remote>> {
  const child = fork(program, [JSON.stringify(how)], {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    execArgv: [], // not our own, which load TypeScript
  });
  let isWanted = true;
  const gone = once(child, 'exit').then(([code, signal]) => {
    if (isWanted) throw new Error(`${program} ended by itself: ${String(code ?? signal)}`);
  });
  const ask = createBirpc<Remote, object>(
    {},
    {
      post: (data) => void child.send(data as object, () => {}), // one that was killed does not hear it
      on: (listener) => void child.on('message', (data) => data !== READY && listener(data)),
      timeout: LONGEST_ANSWER,
    },
  );
  await Promise.race([once(child, 'message'), gone]);
  return {
    ask,
    async kill() {
      isWanted = false;
      child.kill('SIGKILL');
      await gone;
      ask.$close();
    },
    async end() {
      isWanted = false;
      ask.$close();
      if (child.connected) child.disconnect();
      const impatience = setTimeout(() => child.kill('SIGKILL'), 2_000);
      await gone;
      clearTimeout(impatience);
    },
    freeze: () => void child.kill('SIGSTOP'),
    thaw: () => void child.kill('SIGCONT'),
  };
}
