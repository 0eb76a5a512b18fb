// What does @holdfast/redis give away?
export type { RedisClient } from './client.ts';
export type { RedisStoreOptions, RedisStoreSettings } from './options.ts';
export { redisStore } from './redis-store.ts';
