// Does the adapter keep the laws of every adapter in this browser, in a page and in a worker?

import { browserAdapter } from '@holdfast/browser';
import { conformanceCases, type ConformanceCase } from '@holdfast/testing/conformance';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { server } from 'vitest/browser';
import { addresses, nothingOpen } from './support.ts';
import { startWorker, type Worked } from './worker-client.ts';

/** What a browser does that no adapter can undo. It is tested that it still does, so that nothing is skipped unseen. */
interface Difference {
  readonly browser: string;
  readonly because: string;
  readonly cases: readonly string[];
}

const DIFFERENCES: readonly Difference[] = [
  {
    browser: 'webkit',
    because: 'WebKitGTK takes close codes from 1012 to 2999 for a broken protocol, and tells 1006',
    cases: [
      "T26: the server's close 1012 is told with its code and reason, and is clean",
      "T26: the server's close 1013 is told with its code and reason, and is clean",
      'T26: a reason that names a slot arrives to the letter',
    ],
  },
  {
    browser: 'webkit',
    because: 'WebKitGTK follows the redirect of a handshake',
    cases: ['a redirect is not followed'],
  },
];

const differences = DIFFERENCES.filter(({ browser }) => browser === server.browser);
const isDifferent = ({ name }: ConformanceCase): boolean => differences.some(({ cases }) => cases.includes(name));
const kept = conformanceCases().filter((one) => !isDifferent(one));

describe('in a page', () => {
  afterAll(nothingOpen);

  it.each(kept)('$name', async ({ run }) => {
    await expect(run({ adapter: browserAdapter(), ...addresses })).resolves.toBeUndefined();
  });

  for (const { because, cases } of differences) {
    it.each(cases)(`since ${because}, this does not hold: %s`, async (name) => {
      const { run } = conformanceCases().find((one) => one.name === name)!;
      const context = { adapter: browserAdapter(), ...addresses, patience: 1_000 };
      await expect(run(context)).rejects.toThrow(/broken|in vain/);
    });
  }
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

  it.each(kept)('$name', async ({ name }) => {
    await expect(worker.run(name)).resolves.toBe('kept');
  });
});
