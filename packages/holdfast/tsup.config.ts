import { base } from '../../tsup.base';

// no platform of its own: the conditions of package.json choose between the two entries
export default base({ entry: ['src/index.ts', 'src/node.ts'], platform: 'neutral', target: 'es2018' });
