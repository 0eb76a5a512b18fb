import { base } from '../../tsup.base';
export default base({ platform: 'node', target: 'es2020' });
