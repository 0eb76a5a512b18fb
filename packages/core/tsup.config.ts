import { base } from '../../tsup.base';
export default base({ platform: 'neutral', target: 'es2015' });
