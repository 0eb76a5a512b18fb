// How is another program run to its end, and what is told when it fails?

import { execFile } from 'node:child_process';

export interface ProgramOptions {
  readonly cwd?: string;
  /** Milliseconds after which it is killed. */
  readonly timeout: number;
}

export class ProgramFailed extends Error {
  /** What it said last, for a table or a list. */
  readonly lastLine: string;

  constructor(how: string, printed: string) {
    super(`${how}\n${printed.slice(-4_000)}`);
    this.lastLine = `${how}: ${printed.trim().split('\n').pop() ?? ''}`;
  }
}

/** @returns what it printed. @throws {@link ProgramFailed}, if it is not there, takes too long or ends with anything but 0 */
export function runProgram(command: string, args: readonly string[], options: ProgramOptions): Promise<string> {
  const { cwd, timeout } = options;
  return new Promise((resolve, reject) => {
    execFile(
      command,
      [...args],
      { ...(cwd === undefined ? {} : { cwd }), timeout, killSignal: 'SIGKILL', maxBuffer: 64 * 1024 * 1024 },
      (error, stdout, stderr) => {
        if (!error) return resolve(stdout);
        const how = error.killed ? `was killed after ${timeout} ms` : `ended with ${error.code ?? error.signal}`;
        reject(new ProgramFailed(`${command} ${how}`, `${stdout}\n${stderr}`));
      },
    );
  });
}
