import { base } from '../../tsup.base';
// conformance and mock are entries of their own: both run in a page, and mock alone needs msw
export default base({
  entry: ['src/index.ts', 'src/conformance.ts', 'src/mock.ts'],
  platform: 'node',
  target: 'es2020',
});
