// Is a server believed exactly when its certificate is?

import { Agent } from 'node:https';
import { nodeAdapter, type TlsOptions } from '@holdfast/node';
import { createFaultServer, type FaultServer } from '@holdfast/testing';
import { generate } from 'selfsigned';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { dial } from './support.ts';

let server: FaultServer;
let demanding: FaultServer;
let certificate: { readonly cert: string; readonly private: string };
beforeAll(async () => {
  certificate = await generate([{ name: 'commonName', value: 'holdfast.test' }], {
    algorithm: 'sha256',
    extensions: [
      { name: 'basicConstraints', cA: true },
      { name: 'subjectAltName', altNames: [{ type: 2, value: 'holdfast.test' }] },
    ],
  });
  const { cert, private: key } = certificate;
  server = await createFaultServer({ tls: { cert, key } });
  demanding = await createFaultServer({ tls: { cert, key, ca: cert, requestCert: true, rejectUnauthorized: true } });
});
afterEach(() => Promise.all([server.idle(), demanding.idle()]));
afterAll(() => Promise.all([server.close(), demanding.close()]));

describe('TLS', () => {
  it('trusts a server whose authority is given', async () => {
    const tls: TlsOptions = { ca: certificate.cert, servername: 'holdfast.test' };
    const { socket, opened, next } = dial(nodeAdapter({ tls }), server.url('/echo'));
    await opened;
    const echo = next();
    socket.send('secret');
    await expect(echo).resolves.toBe('secret');
    socket.terminate();
  });

  it.each<[string, () => TlsOptions | undefined, string]>([
    ['whose authority nobody knows', () => undefined, 'DEPTH_ZERO_SELF_SIGNED_CERT'],
    ['with a certificate for another name', () => ({ ca: certificate.cert }), 'ERR_TLS_CERT_ALTNAME_INVALID'],
    [
      'also when rejectUnauthorized is undefined',
      () => ({ rejectUnauthorized: undefined, servername: 'holdfast.test' }),
      'DEPTH_ZERO_SELF_SIGNED_CERT',
    ],
  ])('refuses a server %s', async (_, tls, code) => {
    const close = await dial(nodeAdapter({ tls: tls() }), server.url('/echo')).closed;
    expect(close).toMatchObject({ code: 1006, wasClean: false, cause: { code } });
  });

  it('believes any server when rejectUnauthorized is false', async () => {
    const { socket, opened } = dial(nodeAdapter({ tls: { rejectUnauthorized: false } }), server.url('/echo'));
    await expect(opened).resolves.toEqual({ protocol: '' });
    socket.terminate();
  });

  it('shows its own certificate to a server that asks for one', async () => {
    const { cert, private: key } = certificate;
    const trust = { ca: cert, servername: 'holdfast.test' };
    const known = dial(nodeAdapter({ tls: { ...trust, cert, key } }), demanding.url('/echo'));
    await known.opened;
    known.socket.terminate();
    await expect(dial(nodeAdapter({ tls: trust }), demanding.url('/echo')).closed).resolves.toMatchObject({
      code: 1006,
    });
  });

  it("goes through the caller's https.Agent", async () => {
    const agent = new Agent({ rejectUnauthorized: false });
    const { socket, opened } = dial(nodeAdapter({ agent }), server.url('/echo'));
    await expect(opened).resolves.toEqual({ protocol: '' });
    socket.terminate();
    agent.destroy();
  });

  it('T13: a certificate that is none is told, not thrown', async () => {
    const { closed } = dial(nodeAdapter({ tls: { cert: 'nonsense', key: 'nonsense' } }), server.url('/echo'));
    const close = await closed;
    expect(close.code).toBe(1006);
    expect(close.cause).toBeInstanceOf(Error);
  });
});
