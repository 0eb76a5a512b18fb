// `pnpm playground`: starts everything, says where to look, and ends on Ctrl+C.

import { startPlayground } from './playground.ts';

const playground = await startPlayground(Number(process.env['PORT'] ?? 5173));
console.log(`
  Holdfast playground   ${playground.url}

  A page, a server in a process of its own, and a proxy between them that breaks on demand.
  Ctrl+C ends all of it.
`);

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => void playground.close().then(() => process.exit()));
}
