module.exports = {
  ...require('../jest.preset.cjs'),
  rootDir: __dirname,
  globalSetup: '<rootDir>/build-once.mjs',
};
