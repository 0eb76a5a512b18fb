import { base } from '../../tsup.base';
import { loweredByTypeScript } from '../../tools/es2015';
// two entries: an application needs the client half, a server only the wire
export default base({
  entry: ['src/index.ts', 'src/wire.ts'],
  splitting: true,
  platform: 'neutral',
  target: 'es2015',
  esbuildPlugins: [loweredByTypeScript()],
});
