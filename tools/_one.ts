import { liveRandomly } from '../packages/core/test/support/random-world.ts';
console.log((await liveRandomly(Number(process.argv[2]), console.log)).violations);
process.exit(0);
