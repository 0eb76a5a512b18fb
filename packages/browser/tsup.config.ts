import { base } from '../../tsup.base';

export default base({ platform: 'browser', target: 'es2018' });
