/** Descriptor on which the runner tells how the program ended. */
export const REPORT_DESCRIPTOR = 3;

/**
 * Runs the program that stands on standard input and reports on its own descriptor: a program that exits by itself, with
 * status 0 before its tests even, has not passed.
 */
export const PYTHON_RUNNER = `
import os, sys
def report(word, detail=''):
    os.write(${REPORT_DESCRIPTOR}, (word + ' ' + detail[:300].replace(chr(10), ' ') + chr(10)).encode('utf-8', 'replace'))
source = sys.stdin.buffer.read().decode('utf-8')
report('started')
try:
    exec(compile(source, 'program.py', 'exec'), {})
except MemoryError:
    report('out-of-memory')
except BaseException as error:
    try:
        detail = type(error).__name__ + ': ' + str(error)
    except BaseException:
        detail = type(error).__name__
    report('fail', detail)
else:
    report('pass')
os._exit(0)
`;
