/** Descriptor on which the runner tells how far the program is. */
export const REPORT_DESCRIPTOR = 3;
/** Descriptor on which the runner is told what to run. */
export const PROGRAM_DESCRIPTOR = 5;

/**
 * Runs a program in two parts, what a model wrote and the tests of it, and reports on its own descriptor. The word for
 * "passed" is not in the process while the model's code runs: it comes, with the tests, when the runner has said by
 * another secret word that this code has ended by itself. So a program that writes to every descriptor, calls what it
 * finds in the runner, or exits with status 0, has not passed. What the runner needs afterwards is taken before: a program
 * may put anything into the place of `os.write`. (Code of one interpreter hides nothing from code that was written to
 * search it: a program made for this very runner could still find the words on its stack.)
 *
 * Wire: a word for `ready` on a line; the model's code; then the tests, and a word for `pass` on a line. Code and tests are
 * their length in bytes on a line, and the bytes.
 */
export const PYTHON_RUNNER = `
import os, sys, _thread
_thread.stack_size(4 << 20)  # many threads fit into the address space
os.environ.clear()

def main(read=os.read, write=os.write, end=os._exit, run=exec, compiled=compile, whole=int, length=len,
         text=str, kind=type, memory=MemoryError, anything=BaseException, settrace=sys.settrace, setprofile=sys.setprofile):
    def line():
        taken = b''
        while not taken.endswith(b'\\n'):
            byte = read(${PROGRAM_DESCRIPTOR}, 1)
            if not byte: end(1)
            taken += byte
        return taken[:-1]

    def part():
        left, taken = whole(line()), b''
        while length(taken) < left:
            more = read(${PROGRAM_DESCRIPTOR}, left - length(taken))
            if not more: end(1)
            taken += more
        return taken.decode('utf-8')

    def report(words, detail=''):
        write(${REPORT_DESCRIPTOR}, (words + ' ' + detail[:300].replace('\\n', ' ') + '\\n').encode('utf-8', 'replace'))

    def attempt(source, names):
        try:
            run(compiled(source, 'program.py', 'exec'), names)
        except memory:
            report('out-of-memory')
        except anything as error:
            try:
                detail = kind(error).__name__ + ': ' + text(error)
            except anything:
                detail = kind(error).__name__
            report('fail', detail)
        else:
            settrace(None)
            setprofile(None)
            return
        end(0)

    ready = line().decode('ascii')
    source = part()
    report('started')
    names = {}
    attempt(source, names)
    report(ready)
    attempt(part(), names)
    report(line().decode('ascii'))
    end(0)

main()
`;
