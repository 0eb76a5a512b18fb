import { describe, expectTypeOf, it } from 'vitest';
import {
  createClient,
  json,
  type Binary,
  type Client,
  type ClientOptions,
  type CloseEvent,
  type Codec,
  type Data,
  type EndReason,
  type MessageReader,
  type SendResult,
  type StandardSchema,
  type Status,
} from '@holdfast/core';

interface Command {
  readonly do: string;
}
interface News {
  readonly n: number;
}
declare const schema: StandardSchema<News>;

describe('types', () => {
  it('without a codec: text and binary in, text and any binary out', () => {
    const client = createClient('ws://h');
    expectTypeOf(client).toEqualTypeOf<Client<Data, string | Binary>>();
    expectTypeOf(client.send).parameter(0).toEqualTypeOf<string | Binary>();
    expectTypeOf(client.send).returns.toEqualTypeOf<SendResult>();
    client.on('message', (data) => expectTypeOf(data).toEqualTypeOf<string | Uint8Array>());
    expectTypeOf(client.messages()).toEqualTypeOf<MessageReader<Data>>();
  });

  it('a codec types both ways', () => {
    const codec = json<News, Command>({ schema });
    expectTypeOf(codec).toEqualTypeOf<Codec<News, Command>>();
    const client = createClient('ws://h', { codec });
    client.on('message', (news) => expectTypeOf(news).toEqualTypeOf<News>());
    client.on('drop', ({ data }) => expectTypeOf(data).toEqualTypeOf<Command>());
    expectTypeOf(client.send).parameter(0).toEqualTypeOf<Command>();
    // @ts-expect-error: no command
    client.send({ n: 1 });
  });

  it('json() without a schema gives unknown, and takes what it is told', () => {
    expectTypeOf(json()).toEqualTypeOf<Codec<unknown, unknown>>();
    expectTypeOf(json<Command>()).toEqualTypeOf<Codec<unknown, Command>>();
    expectTypeOf(json({ schema })).toEqualTypeOf<Codec<News, unknown>>();
  });

  it('events have the types of the manual', () => {
    const client = createClient('ws://h');
    client
      .on('open', (event) =>
        expectTypeOf(event).toEqualTypeOf<{ readonly protocol: string; readonly reconnected: boolean }>(),
      )
      .on('close', (event) => expectTypeOf(event).toEqualTypeOf<CloseEvent>())
      .on('status', (status) => expectTypeOf(status).toEqualTypeOf<Status>())
      .on('pong', (roundTrip) => expectTypeOf(roundTrip).toEqualTypeOf<number>())
      .on('end', ({ reason }) => expectTypeOf(reason).toEqualTypeOf<EndReason>());
    // @ts-expect-error: there is no such event
    client.on('opened', () => {});
    expectTypeOf<CloseEvent['unconfirmed']>().toEqualTypeOf<number | undefined>();
    expectTypeOf(client.flush()).toEqualTypeOf<Promise<void>>();
  });

  it('options are closed: unknown names and wrong values do not compile', () => {
    // @ts-expect-error: a slip of the pen
    createClient('ws://h', { hartbeat: false });
    // @ts-expect-error: true means nothing
    createClient('ws://h', { heartbeat: true });
    // @ts-expect-error: what has to be awaited belongs into a provider
    createClient('ws://h', { reconnect: { shouldReconnect: () => Promise.resolve(true) } });
    createClient(({ attempt }) => Promise.resolve(`ws://h/${attempt}`), { protocols: () => ['a'] });
    expectTypeOf<ClientOptions['autoConnect']>().toEqualTypeOf<boolean | undefined>();
  });
});
