// Does the adapter keep the laws of every adapter, on a WebSocket that is really one?
//
// On Node's own; the same cases run in real browsers.

import { browserAdapter } from '@holdfast/browser';
import { createFaultServer, type FaultServer } from '@holdfast/testing';
import { conformanceCases } from '@holdfast/testing/conformance';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';

describe("the adapter keeps the laws, on Node's own WebSocket", () => {
  let server: FaultServer;
  beforeAll(async () => {
    server = await createFaultServer();
  });
  afterEach(() => server.idle()); // nothing is left open
  afterAll(() => server.close());

  it.each(conformanceCases())('$name', async ({ run }) => {
    const { refusedUrl } = server;
    const context = { adapter: browserAdapter(), url: (path: string) => server.url(path), refusedUrl, patience: 3000 };
    await expect(run(context)).resolves.toBeUndefined();
  });
});
