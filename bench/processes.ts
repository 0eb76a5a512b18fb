// How does a benchmark have its parts in processes of their own, and ask them?

import { fork, type Serializable } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

/** A part that runs, takes orders, and answers each. It ends by itself when nobody can ask it any more. */
export interface Part<Order extends Serializable> {
  /** What it said when it was ready. */
  readonly greeting: unknown;
  /** Rejects if the part dies first. One question at a time. */
  ask(order: Order): Promise<unknown>;
  /** Resolves when it is gone. */
  end(): Promise<void>;
  /** The same, without its knowing. */
  kill(): Promise<void>;
}

/** Resolves when it is ready. `program` is its path from this folder, without `.ts`; `flags` are for Node. */
export async function startPart<Order extends Serializable>(
  program: string,
  args: readonly string[],
  flags: readonly string[] = [],
): Promise<Part<Order>> {
  const child = fork(fileURLToPath(new URL(`./${program}.ts`, import.meta.url)), args, {
    execArgv: ['--import', 'tsx', ...flags],
    env: { ...process.env, TSX_TSCONFIG_PATH: undefined }, // its paths lead to the sources, and not to what is built
  });
  const gone = once(child, 'exit');

  function answer(): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const died = (code: number | null) => reject(new Error(`${program} ended with ${code}: ${args.join(' ')}`));
      child.once('exit', died);
      child.once('message', (said) => {
        child.off('exit', died);
        resolve(said);
      });
    });
  }

  return {
    greeting: await answer(),
    ask(order) {
      const answered = answer();
      child.send(order);
      return answered;
    },
    async end() {
      child.disconnect();
      await gone;
    },
    async kill() {
      child.kill('SIGKILL');
      await gone;
    },
  };
}
