// Order of tests in which a mutant dies soonest: the spec of its own file, then small specs.
const { statSync } = require('node:fs');
const { basename, dirname } = require('node:path');
const { default: Sequencer } = require('@jest/test-sequencer');

module.exports = class NearestFirst extends Sequencer {
  sort(tests) {
    const mutated = process.env.LETHE_MUTATED ?? '';
    const distance = ({ path }) => {
      if (basename(path) === `${basename(mutated, '.ts')}.spec.ts`) return 0;
      return mutated && dirname(path).endsWith(dirname(mutated)) ? 1 : 2;
    };
    const size = ({ path }) => statSync(path).size;
    return [...tests].sort((a, b) => distance(a) - distance(b) || size(a) - size(b));
  }
};
