// Does a script end when it should?

import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { createFaultServer, type FaultServer } from '@holdfast/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const root = fileURLToPath(new URL('../../../', import.meta.url));
const script = fileURLToPath(new URL('./children/life.ts', import.meta.url));

let server: FaultServer;
beforeAll(async () => {
  server = await createFaultServer();
});
afterAll(() => server.close());

/** Runs the script and resolves when it has ended by itself; the test's own time limit says that it has not. */
function run(...args: string[]): Promise<{ readonly exitCode: number | null; readonly said: string }> {
  const child = spawn(process.execPath, ['--import', 'tsx', script, ...args], {
    cwd: root,
    env: { ...process.env, TSX_TSCONFIG_PATH: `${root}tsconfig.tests.json` },
    stdio: ['ignore', 'pipe', 'inherit'],
    timeout: 20_000, // far below the 30 s for which `ws` would hold it
  });
  let said = '';
  child.stdout.on('data', (chunk: Buffer) => (said += chunk.toString()));
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (exitCode) => resolve({ exitCode, said: said.trim() }));
  });
}

describe('the end of a script', { timeout: 30_000 }, () => {
  it('T46: waiting alone does not keep the process, if unref is asked for', async () => {
    await expect(run('waits unref')).resolves.toEqual({ exitCode: 0, said: '' });
  });

  it('T46: waiting keeps the process otherwise', async () => {
    await expect(run('waits')).resolves.toEqual({ exitCode: 0, said: 'rung' });
  });

  it('T46: a closed socket leaves no handle', async () => {
    await expect(run('closes', server.url('/echo'))).resolves.toEqual({ exitCode: 0, said: 'closed' });
  });

  it('T46: a terminated socket leaves no handle, nor the timer that ws keeps for 30 s', async () => {
    const ended = await run('terminates in the closing handshake', server.url('/frozen'));
    expect(ended).toEqual({ exitCode: 0, said: 'terminated' });
  });

  it('T46: a dial that was given up leaves no handle', async () => {
    await expect(run('gives up a dial', server.url('/hang'))).resolves.toEqual({ exitCode: 0, said: 'given up' });
  });
});
