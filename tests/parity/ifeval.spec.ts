import { existsSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { readIfeval } from '../../packages/eval/src/ifeval/ifeval-files.js';
import { type IfevalInstruction, ifevalInstructionSchema } from '../../packages/eval/src/ifeval/instruction.js';
import { judgeResponse } from '../../packages/eval/src/ifeval/judge-response.js';
import { isUpper } from '../../packages/eval/src/ifeval/python-text.js';
import { wordTokens } from '../../packages/eval/src/ifeval/word-tokens.js';
import { goldenPath } from './golden-files.js';

/** What nltk, langdetect and the original checkers say of a text: scripts/goldens/ifeval.py. */
interface Case {
  text: string;
  /** Beginnings and ends, in characters. */
  sentences: [number, number][];
  numCapitals: number;
  language: string | null;
  instructions: IfevalInstruction[];
  /** A digit for each instruction: 1 where it is followed. */
  strict: string;
  loose: string;
}

const root = resolve(__dirname, '../..');
const data = resolve(root, process.env['LETHE_DATA'] ?? '../shared', 'benchmarks/ifeval');
const golden = process.env['LETHE_IFEVAL_GOLDEN'] ?? goldenPath('ifeval.json');

(existsSync(data) ? describe : describe.skip)('IFEval against its original checkers', () => {
  const cases = JSON.parse(readFileSync(golden, 'utf8')) as Case[];
  const { tools } = existsSync(data) ? readIfeval(data) : ({} as ReturnType<typeof readIfeval>);

  /** The cases whose value is another, with both values. */
  const differing = <T>(valueOf: (one: Case) => T, expected: (one: Case) => T): object[] =>
    cases.flatMap((one) => {
      const [received, wanted] = [valueOf(one), expected(one)];
      return JSON.stringify(received) === JSON.stringify(wanted) ? [] : [{ text: one.text, received, wanted }];
    });

  // Other texts may never be `My answer is yes.`
  (process.env['LETHE_IFEVAL_GOLDEN'] === undefined ? it : it.skip)(
    'the golden holds every instruction, followed and not followed',
    () => {
      const ids = ifevalInstructionSchema.options.map(({ shape }) => shape.id.value).sort();
      const verdicts = ids.map((id) => {
        const own = cases.flatMap(
          ({ instructions, strict }) => strict[instructions.findIndex((one) => one.id === id)] ?? [],
        );
        return [id, new Set(own).size];
      });
      expect(verdicts).toEqual(ids.map((id) => [id, 2]));
    },
  );

  it('sentences are nltk’s', () => {
    expect(
      differing(
        ({ text }) => tools.sentences(text),
        ({ text, sentences }) =>
          sentences.map((span) =>
            Array.from(text)
              .slice(...span)
              .join(''),
          ),
      ),
    ).toEqual([]);
  });

  it('words in capitals are as many as nltk’s', () => {
    expect(
      differing(
        ({ text }) => tools.sentences(text).flatMap(wordTokens).filter(isUpper).length,
        ({ numCapitals }) => numCapitals,
      ),
    ).toEqual([]);
  });

  it('languages are langdetect’s', () => {
    expect(
      differing(
        ({ text }) => tools.language(text) ?? null,
        ({ language }) => language,
      ),
    ).toEqual([]);
  });

  it('verdicts are the original’s, strict and loose', () => {
    const expected = ({ strict, loose, instructions }: Case): string[] =>
      instructions.map(({ id }, i) => {
        const verdict = strict[i] === '1' ? 'followed' : loose[i] === '1' ? 'followed loosely' : 'not followed';
        return `${id}: ${verdict}`;
      });
    const received = ({ text, instructions }: Case): string[] =>
      judgeResponse(text, instructions, tools).map((verdict, i) => `${instructions[i].id}: ${verdict}`);
    const wrong = cases.flatMap((one) => {
      const wanted = expected(one);
      return received(one).flatMap((verdict, i) =>
        verdict === wanted[i] ? [] : [{ text: one.text, instruction: one.instructions[i], verdict, wanted: wanted[i] }],
      );
    });
    expect(wrong).toEqual([]);
  });
});
