// Are the options of the store checked at the door?
import { expect, test } from 'vitest';
import { redisStore, type RedisStoreOptions } from '@holdfast/redis';

test('nonsense is refused, naming the option', () => {
  const cases: [unknown, string][] = [
    [{}, 'url, client must be exactly one of the two'],
    [{ url: 'redis://localhost', client: {} }, 'url, client must be exactly one of the two'],
    [{ url: 'localhost:6379' }, 'url must be a text that begins with'],
    [{ client: {} }, 'client must be a client of redis or @redis/client'],
    [{ client: null }, 'client must be a client of redis or @redis/client'],
    [{ url: 'redis://localhost', prefix: 'a{b}' }, 'prefix must be a text without braces, got a{b}'],
    [{ url: 'redis://localhost', timeout: 0 }, 'timeout must be a positive number of milliseconds, got 0'],
    [{ url: 'redis://localhost', timeot: 1 }, 'timeot must be one of client, url, prefix, timeout'],
  ];
  for (const [options, message] of cases) {
    expect(() => redisStore(options as RedisStoreOptions)).toThrow(
      expect.objectContaining({ code: 'INVALID_OPTION', message: expect.stringContaining(message) as string }),
    );
  }
});

test('a password is in no message', () => {
  const options = { url: 'http://ada:secret@localhost' };
  expect(() => redisStore(options)).toThrow(/^(?!.*secret)/);
});
