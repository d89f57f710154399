// Tells the process that started this one of the first test file that fails, which is all that a mutant needs.
const { relative } = require('node:path');

module.exports = class FirstFailure {
  onTestFileResult(_test, { testFilePath, testExecError, numFailingTests, testResults }) {
    if (!testExecError && numFailingTests === 0) return;
    const failed = testResults.find(({ status }) => status === 'failed');
    const name = failed?.fullName ?? testExecError?.message?.split('\n')[0] ?? 'does not load';
    process.send({ passed: false, failed: `${relative(process.cwd(), testFilePath)}: ${name}` });
  }
};
