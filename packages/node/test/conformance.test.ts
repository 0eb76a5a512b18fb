// Does the adapter for Node keep the laws of every adapter?

import { conformanceCases, createFaultServer, type FaultServer } from '@holdfast/testing';
import { nodeAdapter } from '@holdfast/node';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';

describe.each([
  ['as it is', false],
  ['with compression', true],
])('the adapter for Node keeps the laws, %s', (_, perMessageDeflate) => {
  let server: FaultServer;
  beforeAll(async () => {
    server = await createFaultServer({ perMessageDeflate });
  });
  afterEach(() => server.idle()); // nothing is left open
  afterAll(() => server.close());

  it.each(conformanceCases())('$name', async ({ run }) => {
    const { refusedUrl } = server;
    const context = {
      adapter: nodeAdapter({ perMessageDeflate }),
      url: (path: string) => server.url(path),
      refusedUrl,
    };
    await expect(run(context)).resolves.toBeUndefined();
  });
});
