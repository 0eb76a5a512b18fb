// What of @holdfast/testing runs where there is no Node?
export * from '../../../packages/testing/src/fake-task.ts';
export { createRandom } from '../../../packages/testing/src/random.ts';
export * from '../../../packages/testing/src/world.ts';
