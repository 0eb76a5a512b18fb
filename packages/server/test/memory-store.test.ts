// Does the store in memory keep the laws, and stay small?
import { createMemoryStore } from '../src/sessions/memory-store.ts';
import { storeLaws } from './support/store-laws.ts';

storeLaws('the store in memory', () => {
  let now = 1_000;
  const store = createMemoryStore({ now: () => now });
  return {
    store,
    elsewhere: store,
    advance: (ms) => {
      now += ms;
    },
    close: () => store.close(),
  };
});
