// Tests run on the TypeScript sources: packages resolve each other through the '@lethe/source' export condition.
module.exports = {
  testEnvironment: 'node',
  testMatch: ['**/*.spec.ts'],
  modulePathIgnorePatterns: ['/dist/', '/build/'],
  transform: {
    '^.+\\.(ts|js|mjs)$': [
      '@swc/jest',
      { jsc: { target: 'es2023', parser: { syntax: 'typescript' } }, module: { type: 'commonjs' } },
    ],
  },
  moduleNameMapper: { '^(\\.{1,2}/.*)\\.js$': '$1' },
  testEnvironmentOptions: { customExportConditions: ['@lethe/source', 'node', 'require', 'default'] },
  transformIgnorePatterns: ['/node_modules/(?!@lethe/)'],
};
