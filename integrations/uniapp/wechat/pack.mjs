// Runs WeChat's packer in a process of its own, for it prints what it likes and leaves workers behind.
// node pack.mjs <where it is installed> <project>; writes what it found to <project>/packed.json

import { createRequire } from 'node:module';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

const [place, project] = process.argv.slice(2);
const { packNpmManually } = createRequire(join(place, 'package.json'))('miniprogram-ci');
const packed = await packNpmManually({
  packageJsonPath: join(project, 'package.json'),
  miniprogramNpmDistDir: project,
});
writeFileSync(join(project, 'packed.json'), JSON.stringify(packed));
process.exit(0);
