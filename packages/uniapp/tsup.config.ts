import { base } from '../../tsup.base';
import { loweredByTypeScript } from '../../tools/es2015';
// two entries that share their files, so that both have one gate for dials and one subscription to the host's events
export default base({
  entry: ['src/index.ts', 'src/websocket.ts'],
  splitting: true,
  platform: 'neutral',
  target: 'es2015',
  esbuildPlugins: [loweredByTypeScript()],
});
