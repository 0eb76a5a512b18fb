import { base } from '../../tsup.base';
// conformance is an entry of its own, since it runs where there is no Node
export default base({ entry: ['src/index.ts', 'src/conformance.ts'], platform: 'node', target: 'es2020' });
