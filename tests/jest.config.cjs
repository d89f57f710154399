module.exports = {
  ...require('../jest.preset.cjs'),
  rootDir: __dirname,
  testTimeout: 60000,
  globalSetup: '<rootDir>/build-once.mjs',
};
