// Who may come in? Over real sockets, read off the wire.
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { createServer, deny } from '@holdfast/server';
import {
  Client,
  answerOf,
  dial,
  handshake,
  join,
  knock,
  nextError,
  nextPeer,
  nextRefusal,
  serve,
  until,
  urlOf,
} from './helpers.ts';

describe('a handshake that is none', () => {
  test('every refusal says its status, closes, and tells nothing more', async () => {
    const server = await serve({ origins: [] });
    const answer = await knock(server.port, { headers: { Origin: 'https://evil.example' } });
    expect(answer).toEqual({
      status: 403,
      headers: { connection: 'close', 'content-type': 'text/plain', 'content-length': '9' },
      body: 'Forbidden',
    });
  });

  test('another method is 405, another version 426, an odd key or upgrade 400', async () => {
    const server = await serve();
    const cases = [
      [{ method: 'POST' }, 405],
      [{ headers: { 'Sec-WebSocket-Version': '8' } }, 426],
      [{ headers: { 'Sec-WebSocket-Version': '12' } }, 426],
      [{ headers: { 'Sec-WebSocket-Version': undefined } }, 426],
      [{ headers: { 'Sec-WebSocket-Key': 'short' } }, 400],
      [{ headers: { 'Sec-WebSocket-Key': undefined } }, 400],
      [{ headers: { Upgrade: 'h2c' } }, 400],
      [{ headers: { 'Sec-WebSocket-Protocol': 'a,,b' } }, 400],
    ] as const;
    for (const [request, status] of cases) {
      const refused = nextRefusal(server);
      expect((await knock(server.port, request)).status).toBe(status);
      expect(await refused).toMatchObject({ status, reason: 'bad-handshake' });
    }
  });

  test('version 8, which carries its origin in another header, is told the version to use', async () => {
    const server = await serve({ origins: ['https://app.example.com'] });
    const answer = await knock(server.port, {
      headers: {
        'Sec-WebSocket-Version': '8',
        'Sec-WebSocket-Origin': 'https://app.example.com',
        Origin: 'https://evil.example',
      },
    });
    expect(answer).toMatchObject({ status: 426, headers: { 'sec-websocket-version': '13' } });
  });

  test('anything but an upgrade is answered 426', async () => {
    const server = await serve();
    const response = await fetch(`http://127.0.0.1:${server.port}/`);
    expect(response.status).toBe(426);
    await response.text();
  });
});

describe('Origin', () => {
  const ours = 'https://app.example.com';

  test('a listed page comes in, a foreign one gets 403 before any upgrade', async () => {
    const server = await serve({ origins: [ours] });
    let connections = 0;
    server.on('connection', () => connections++);
    const refused = nextRefusal(server);
    const foreign = await knock(server.port, { headers: { Origin: 'https://evil.example' } });
    expect(foreign.status).toBe(403);
    expect(await refused).toEqual({
      status: 403,
      reason: 'origin',
      origin: "'https://evil.example'",
      address: '127.0.0.1',
      untold: 0,
    });
    expect(connections).toBe(0);
    expect((await knock(server.port, { headers: { Origin: ours } })).status).toBe(101);
    expect(connections).toBe(1);
  });

  test('two Origin headers are refused, also when each is ours', async () => {
    const server = await serve({ origins: [ours] });
    const answer = await knock(server.port, { headers: { Origin: [ours, ours] } });
    expect(answer.status).toBe(403);
  });

  test('an empty Origin header is not an absent one', async () => {
    const server = await serve({ absentOrigin: 'allow' });
    expect((await knock(server.port, { headers: { Origin: '' } })).status).toBe(403);
  });

  test('with no option at all no page comes in, and what sends no Origin and no cookie does', async () => {
    const server = await serve();
    expect((await knock(server.port, { headers: { Origin: ours } })).status).toBe(403);
    expect((await knock(server.port, { headers: { Origin: 'http://localhost' } })).status).toBe(403);
    expect((await knock(server.port)).status).toBe(101);
    expect((await knock(server.port, { headers: { Cookie: 'sid=1' } })).status).toBe(403);
  });

  test('absentOrigin: allow and deny do as they say', async () => {
    const open = await serve({ absentOrigin: 'allow' });
    expect((await knock(open.port, { headers: { Cookie: 'sid=1' } })).status).toBe(101);
    const shut = await serve({ absentOrigin: 'deny' });
    expect((await knock(shut.port)).status).toBe(403);
  });

  test('sameHost lets in the page of a listed host and no other, whatever is forwarded', async () => {
    const server = await serve({ sameHost: { hosts: ['app.example.com:8080'] } });
    const from = (origin: string, host: string) =>
      knock(server.port, {
        headers: { Origin: origin, Host: host, 'X-Forwarded-Host': 'app.example.com:8080' },
      }).then((answer) => answer.status);
    expect(await from('http://app.example.com:8080', 'app.example.com:8080')).toBe(101);
    expect(await from('https://app.example.com:8080', 'app.example.com:8080')).toBe(403);
    expect(await from('http://evil.example', 'evil.example')).toBe(403);
    const two = { Host: ['app.example.com:8080', 'evil.example'] };
    const answer = await knock(server.port, {
      headers: { Origin: 'http://app.example.com:8080', ...two },
    });
    expect(answer.status).toBe(403);
  });

  test('a function decides on the header as it came, in its own time', async () => {
    const asked: string[] = [];
    const server = await serve({
      origins: async (origin) => {
        asked.push(origin);
        await Promise.resolve();
        return origin === 'http://host,undefined';
      },
    });
    const statusOf = async (origin: string) => (await knock(server.port, { headers: { Origin: origin } })).status;
    expect(await statusOf('http://host,undefined')).toBe(101);
    expect(await statusOf(ours)).toBe(403);
    expect(asked).toEqual(['http://host,undefined', ours]);
  });

  test('a function that throws, rejects, says something odd or nothing in time refuses with 403', async () => {
    const odd = 'yes' as unknown as boolean;
    const functions = {
      throws: () => {
        throw new Error('no');
      },
      rejects: () => Promise.reject(new Error('no')),
      'says something truthy': () => odd,
      hangs: () => new Promise<boolean>(() => {}),
    };
    for (const origins of Object.values(functions)) {
      const server = await serve({ origins, admissionTimeout: 20 });
      server.on('error', () => {});
      expect((await knock(server.port, { headers: { Origin: ours } })).status).toBe(403);
    }
  });

  test('and its failures are told by their codes', async () => {
    const throwing = await serve({
      origins: () => {
        throw new TypeError('typo');
      },
    });
    const failed = nextError(throwing, 'ORIGIN_CHECK_FAILED');
    await knock(throwing.port, { headers: { Origin: ours } });
    expect((await failed).cause).toBeInstanceOf(TypeError);
    const hanging = await serve({ origins: () => new Promise(() => {}), admissionTimeout: 20 });
    const late = nextError(hanging, 'ADMISSION_TIMEOUT');
    await knock(hanging.port, { headers: { Origin: ours } });
    expect((await late).message).toMatch(/origins gave no answer within 20 ms/);
  });

  test("'*' lets in every page, says so once, and leaves authorize no cookie to trust", async () => {
    const printed = vi.spyOn(console, 'error').mockImplementation(() => {});
    onTestFinished(() => printed.mockRestore());
    const cookies: (string | undefined)[] = [];
    const server = await serve({
      origins: '*',
      authorize: (request) => {
        cookies.push(request.headers.cookie);
        return true;
      },
    });
    const headers = { Origin: 'https://any.example', Cookie: 'sid=1' };
    expect((await knock(server.port, { headers })).status).toBe(101);
    expect((await knock(server.port, { headers })).status).toBe(101);
    expect(cookies).toEqual([undefined, undefined]);
    expect(printed.mock.calls).toEqual([[expect.objectContaining({ code: 'ORIGINS_OPEN' })]]);
  });

  test('ORIGINS_OPEN reaches a listener that is added after createServer', async () => {
    const server = createServer({ noServer: true, origins: '*' });
    expect((await nextError(server, 'ORIGINS_OPEN')).code).toBe('ORIGINS_OPEN');
    await server.close();
  });

  test("'*' together with cookies for credentials does not start", () => {
    expect(() => createServer({ noServer: true, origins: '*', credentials: 'cookie' })).toThrow(
      expect.objectContaining({ code: 'INVALID_OPTION' }),
    );
  });

  test('a flood of refusals is told at a rate that a log can follow, and counted', async () => {
    const server = await serve();
    const told: number[] = [];
    server.on('refused', ({ untold }) => told.push(untold));
    const flood = () => knock(server.port, { headers: { Origin: 'https://evil.example' } });
    await Promise.all(Array.from({ length: 50 }, flood));
    expect(told.length).toBeLessThanOrEqual(12);
    // the bucket fills up with time, so knock until one is told again
    while (Math.max(0, ...told) === 0) await flood();
    expect(Math.max(...told)).toBeGreaterThanOrEqual(30);
  });
});

describe('authorize', () => {
  test('what it returns is the identity, typed', async () => {
    const server = await serve({
      authorize: async (request) => ({ name: request.headers['x-user'] as string }),
    });
    const peer = nextPeer(server);
    await join(server, { headers: { 'x-user': 'ada' } });
    expect((await peer).identity.name).toBe('ada');
  });

  test('false, null, nothing and deny() are 401, deny(403) is 403', async () => {
    const answers = [
      [false, 401],
      [null, 401],
      [undefined, 401],
      [deny(), 401],
      [deny(401), 401],
      [deny(403), 403],
    ] as const;
    for (const [answer, status] of answers) {
      const server = await serve({ authorize: () => answer });
      const refused = nextRefusal(server);
      expect((await knock(server.port)).status).toBe(status);
      expect(await refused).toMatchObject({ status, reason: 'unauthorized' });
    }
  });

  test('a throw, a rejection or no answer in time lets nobody in, and sends nobody away for good', async () => {
    const failures = {
      AUTHORIZE_FAILED: [
        () => {
          throw new Error('database away');
        },
        () => Promise.reject(new Error('database away')),
      ],
      ADMISSION_TIMEOUT: [() => new Promise<string>(() => {})],
    } as const;
    for (const code of ['AUTHORIZE_FAILED', 'ADMISSION_TIMEOUT'] as const) {
      for (const authorize of failures[code]) {
        const server = await serve({ authorize, admissionTimeout: 20, retryAfter: 3_000 });
        const failed = nextError(server, code);
        const answer = await knock(server.port);
        expect(answer).toMatchObject({ status: 503, headers: { 'retry-after': '3' } });
        expect((await failed).code).toBe(code);
        expect(server.peers.size).toBe(0);
      }
    }
  });

  test('is not asked about a foreign page', async () => {
    let asked = 0;
    const server = await serve({ authorize: () => asked++ });
    await knock(server.port, { headers: { Origin: 'https://evil.example' } });
    expect(asked).toBe(0);
  });

  test('a client that resets meanwhile is no crash, and no peer', async () => {
    const asked: { socket: Socket; answer: (verdict: boolean) => void }[] = [];
    const server = await serve({
      maxPeers: 1,
      authorize: ({ socket }) => new Promise<boolean>((answer) => asked.push({ socket, answer })),
    });
    let connections = 0;
    server.on('connection', () => connections++);
    const socket = await dial(server.port);
    socket.write(handshake());
    await until(() => asked.length === 1);
    const gone = new Promise((resolve) => asked[0]!.socket.once('close', resolve));
    socket.resetAndDestroy();
    await gone;
    asked[0]!.answer(true);
    // its seat is free again: there is room for one only, and the next is asked
    const second = join(server);
    await until(() => asked.length === 2);
    asked[1]!.answer(true);
    await second;
    expect(connections).toBe(1);
    expect(server.peers.size).toBe(1);
  });

  test('a client that hangs up politely meanwhile does not stay', async () => {
    const asked: ((verdict: boolean) => void)[] = [];
    const server = await serve({
      authorize: () => new Promise<boolean>((answer) => asked.push(answer)),
    });
    const socket = await dial(server.port);
    socket.end(handshake());
    await until(() => asked.length === 1);
    const closed = once(socket.resume(), 'close');
    asked[0]!(true);
    await closed;
    await until(() => server.peers.size === 0);
    expect((await knock(server.port, { headers: { Origin: 'null' } })).status).toBe(403);
  });

  test('what a client says before it is let in is not lost', async () => {
    const server = await serve({ authorize: () => Promise.resolve('ada') });
    const peer = nextPeer(server);
    const socket = await dial(server.port);
    const hello = Buffer.from([0x81, 0x82, 0, 0, 0, 0, 0x68, 0x69]);
    socket.write(Buffer.concat([Buffer.from(handshake()), hello]));
    const message = peer.then((one) => new Promise((resolve) => one.once('message', resolve)));
    expect(await message).toBe('hi');
  });
});

describe('room', () => {
  test('one more than maxPeers is refused with 503 and Retry-After, and comes in once there is room', async () => {
    const server = await serve({ maxPeers: 2, retryAfter: 7_000 });
    const [first] = [await join(server), await join(server)];
    const refused = nextRefusal(server);
    expect(await knock(server.port)).toMatchObject({
      status: 503,
      headers: { 'retry-after': '7' },
    });
    expect((await refused).reason).toBe('full');
    const [peer] = server.peers;
    const left = once(peer!, 'close');
    first.ws.close();
    await Promise.all([left, first.closed]);
    await join(server);
    expect(server.peers.size).toBe(2);
  });

  test('one more of an address is refused with 429', async () => {
    const server = await serve({
      maxPeersPerAddress: 1,
      addressOf: (request) => request.headers['x-from'] as string,
    });
    await join(server, { headers: { 'x-from': 'a' } });
    const refused = nextRefusal(server);
    expect((await knock(server.port, { headers: { 'x-from': 'a' } })).status).toBe(429);
    expect(await refused).toMatchObject({ reason: 'address-full', address: 'a' });
    await join(server, { headers: { 'x-from': 'b' } });
  });

  test('an addressOf that throws counts its clients together, so that the cap holds', async () => {
    const server = await serve({
      maxPeersPerAddress: 1,
      addressOf: () => {
        throw new Error('typo');
      },
    });
    server.on('error', () => {});
    await join(server);
    expect((await knock(server.port)).status).toBe(429);
  });

  test('those who still wait for authorize take a seat too', async () => {
    let asked = 0;
    const server = await serve({
      maxPeers: 1,
      authorize: () => {
        asked++;
        return new Promise<boolean>(() => {});
      },
    });
    const waiting = await dial(server.port);
    waiting.write(handshake());
    await until(() => asked === 1);
    expect((await knock(server.port)).status).toBe(503);
    const refused = answerOf(waiting);
    await server.close();
    expect((await refused).status).toBe(503);
  });
});

describe('protocols', () => {
  const offer = async (protocols: Parameters<typeof serve>[0], offered: string) => {
    const server = await serve(protocols);
    server.on('error', () => {});
    const answer = await knock(server.port, { headers: { 'Sec-WebSocket-Protocol': offered } });
    expect(answer.status).toBe(101);
    return answer.headers['sec-websocket-protocol'];
  };

  test('the first of ours that was offered is agreed on', async () => {
    expect(await offer({ protocols: ['v2', 'v1'] }, 'v1, v2')).toBe('v2');
    expect(await offer({ protocols: ['v2', 'v1'] }, 'v1')).toBe('v1');
  });

  test('none of ours, or none at all: the first offer, a token perhaps, is never echoed', async () => {
    expect(await offer({ protocols: ['v2'] }, 'secret-token')).toBe(undefined);
    expect(await offer({}, 'secret-token')).toBe(undefined);
  });

  test('a function chooses; what was not offered, and a throw, is none', async () => {
    expect(await offer({ protocols: (offered) => offered.at(-1) }, 'a, b')).toBe('b');
    expect(await offer({ protocols: () => 'other' }, 'a, b')).toBe(undefined);
    const thrower = () => {
      throw new Error('typo');
    };
    expect(await offer({ protocols: thrower }, 'a, b')).toBe(undefined);
  });

  test('what was agreed on is known on both sides', async () => {
    const server = await serve({ protocols: ['v1'] });
    const peer = nextPeer(server);
    const client = await join(server, { protocols: ['v0', 'v1'] });
    expect((await peer).protocol).toBe('v1');
    expect(client.ws.protocol).toBe('v1');
  });
});

test('permessage-deflate is not agreed on, though ws clients offer it', async () => {
  const server = await serve();
  const client = await join(server, { perMessageDeflate: true });
  expect(client.ws.extensions).toBe('');
});

test('a refused ws client sees the status', async () => {
  const server = await serve({ authorize: () => deny(403) });
  const client = new Client(urlOf(server));
  const [, response] = (await once(client.ws, 'unexpected-response')) as [
    unknown,
    { statusCode: number; resume(): void },
  ];
  expect(response.statusCode).toBe(403);
  response.resume();
});
