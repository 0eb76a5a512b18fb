import { describe, expect, it } from 'vitest';
import {
  createClient,
  json,
  type ClientOptions,
  type Codec,
  type HoldfastError,
  type StandardSchema,
} from '@holdfast/core';
import { adopt, newWorld } from './support/worlds.ts';

const isPoint: StandardSchema<{ x: number }> = {
  '~standard': {
    version: 1,
    vendor: 'test',
    validate: (value) =>
      typeof (value as { x?: unknown } | null)?.x === 'number'
        ? { value: { x: (value as { x: number }).x } }
        : { issues: [{ message: 'must be a number', path: ['x', { key: 'y' }] }] },
  },
};

async function open<In, Out>(codec: Codec<In, Out>, options: ClientOptions<In, Out> = {}) {
  const world = newWorld();
  const client = createClient<In, Out>('ws://world.test/', { adapter: world.adapter(), ...options, codec });
  adopt(world, client);
  const messages: In[] = [];
  const errors: HoldfastError[] = [];
  const drops: unknown[] = [];
  client
    .on('message', (message) => messages.push(message))
    .on('error', (error) => errors.push(error))
    .on('drop', ({ data }) => drops.push(data));
  await world.run(10);
  return { world, client, messages, errors, drops };
}

describe('json()', () => {
  it('turns values into text frames and back', async () => {
    const { world, client, messages } = await open(json());
    client.send({ a: [1, null, 'ä'] });
    world.server.last.send('{"b":2}');
    await world.run(10);
    expect(world.server.last.received).toEqual(['{"a":[1,null,"ä"]}']);
    expect(messages).toEqual([{ b: 2 }]);
  });

  it('with a schema gives what the schema gives', async () => {
    const { world, messages } = await open(json({ schema: isPoint }));
    world.server.last.send('{"x":1,"y":2}');
    await world.run(10);
    expect(messages).toEqual([{ x: 1 }]);
  });

  it.each([
    ['no JSON', '{', /JSON/],
    ['binary', new Uint8Array([123, 125]), /./],
    ['what the schema refuses', '{"x":"1"}', /x\.y: must be a number/],
  ])('a message that is %s goes to error, never to message, and the next one is told', async (_name, frame, words) => {
    const { world, messages, errors } = await open(json({ schema: isPoint }));
    world.server.last.send(frame);
    world.server.last.send('{"x":1}');
    await world.run(10);
    expect(messages).toEqual([{ x: 1 }]);
    expect(errors).toMatchObject([{ code: 'DECODE_FAILED', value: frame }]);
    expect(errors[0]!.message).toMatch(words);
  });

  it('refuses a schema that answers later, since that would put messages out of order', async () => {
    const later: StandardSchema<unknown> = {
      '~standard': { version: 1, vendor: 'test', validate: (value) => Promise.resolve({ value }) },
    };
    const { world, messages, errors } = await open(json({ schema: later }));
    world.server.last.send('{}');
    await world.run(10);
    expect(messages).toEqual([]);
    expect(errors.map(({ code }) => code)).toEqual(['DECODE_FAILED']);
  });

  it.each([
    [
      'a circle',
      () => {
        const circle: { self?: unknown } = {};
        circle.self = circle;
        return circle;
      },
    ],
    ['undefined', () => undefined],
    ['a function', () => () => {}],
    ['a BigInt', () => 5n],
  ])('%s cannot be encoded: send throws ENCODE_FAILED, and nothing is sent', async (_name, value) => {
    const { world, client, drops } = await open(json());
    expect(() => client.send(value())).toThrow(expect.objectContaining({ code: 'ENCODE_FAILED' }) as Error);
    await world.run(10);
    expect(world.server.last.received).toEqual([]);
    expect(drops).toEqual([]);
  });
});

describe('a codec', () => {
  it('never sees the heartbeat', async () => {
    const seen: unknown[] = [];
    const { world, client } = await open({
      encode: (value: string) => (seen.push(value), value),
      decode: (data) => (seen.push(data), data),
    });
    await world.run(100_000);
    expect(client.latency).toBe(10);
    expect(seen).toEqual([]);
  });

  it('may use binary; what is dropped is told as the value that was sent', async () => {
    const codec: Codec<number, number> = {
      encode: (n) => new Uint8Array([n]),
      decode: (data) => (data as Uint8Array)[0]!,
    };
    const { world, client, messages, drops } = await open(codec);
    client.send(7);
    world.server.last.send(new Uint8Array([8]));
    await world.run(10);
    expect(world.server.last.received).toEqual([new Uint8Array([7])]);
    expect(messages).toEqual([8]);
    void client.close();
    client.send(9);
    expect(drops).toEqual([9]);
  });

  it('that encodes to neither text nor binary is told so', async () => {
    const { client } = await open({ encode: () => 5 as unknown as string, decode: (data) => data });
    expect(() => client.send('x')).toThrow(expect.objectContaining({ code: 'INVALID_DATA' }) as Error);
  });
});
