import { liveRandomly } from '../packages/core/test/support/random-world.ts';
const [from, n] = process.argv.slice(2).map(Number) as [number, number];
let bad = 0;
let ops = 0;
const t = Date.now();
const kinds = new Map<string, number[]>();
for (let s = from; s < from + n; s++) {
  const o = await liveRandomly(s);
  ops += o.operations;
  if (o.violations.length) {
    bad++;
    const k = o.violations[0]!.replace(/\d+/g, '#');
    kinds.set(k, [...(kinds.get(k) ?? []), s]);
  }
}
for (const [k, v] of kinds) console.log(v.length, k, v.slice(0, 4).join(' '));
console.log(n, 'worlds', bad, 'bad', ops, 'ops', Date.now() - t, 'ms');
process.exit(0);
