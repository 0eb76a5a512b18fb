// Does the adapter keep the laws of every adapter in this browser, in a page and in a worker?

import { browserAdapter } from '@holdfast/browser';
import { conformanceCases } from '@holdfast/testing/conformance';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { addresses, nothingOpen } from './support.ts';
import { startWorker, type Worked } from './worker-client.ts';

describe('in a page', () => {
  afterAll(nothingOpen);

  it.each(conformanceCases())('$name', async ({ run }) => {
    await expect(run({ adapter: browserAdapter(), ...addresses })).resolves.toBeUndefined();
  });
});

describe('in a module worker', () => {
  let worker: Worked;
  beforeAll(() => {
    worker = startWorker();
  });
  afterAll(async () => {
    await nothingOpen();
    worker.terminate();
  });

  it.each(conformanceCases())('$name', async ({ name }) => {
    await expect(worker.run(name)).resolves.toBe('kept');
  });
});
