// The tests that stay within one process, as one project, so that what each takes of any package is counted together.
const { join } = require('node:path');
const preset = require('../../jest.preset.cjs');

const PACKAGES = '{model,tensor,losses,eval,train,analysis}';

module.exports = {
  ...preset,
  rootDir: join(__dirname, '..', '..'),
  roots: ['<rootDir>/packages', '<rootDir>/native/src', '<rootDir>/tests'],
  testMatch: ['<rootDir>/packages/*/src/**/*.spec.ts', '<rootDir>/tests/{parity,regression,e2e}/*.spec.ts'],
  collectCoverageFrom: [
    `packages/${PACKAGES}/src/**/*.ts`,
    `node_modules/@lethe/${PACKAGES}/src/**/*.ts`,
    '!**/*.spec.ts',
  ],
  coveragePathIgnorePatterns: ['/node_modules/(?!@lethe/)', '/dist/'],
  coverageReporters: ['json'],
  testTimeout: 600000,
};
