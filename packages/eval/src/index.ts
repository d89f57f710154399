export { type Constraint, constraintSchema, isSatisfied, itemsOf } from './instructions/constraint.js';
export {
  type InstructionScores,
  type JudgedResponse,
  type RuleInstruction,
  scoreInstructions,
} from './instructions/score-instructions.js';
export { type BenchmarkComparison, compareEvaluations, type ModelComparison } from './compare/compare-evaluations.js';
export { COMPARISON_HEADER, comparisonRows } from './compare/comparison-rows.js';
export { evalRecipeSchema } from './evaluation/eval-recipe.js';
export { EVALUATION_HEADER, evaluationRows } from './evaluation/evaluation-rows.js';
export { readEvaluation } from './evaluation/read-evaluation.js';
export { type EvaluationPlan, runEvaluation } from './evaluation/run-evaluation.js';
export type { Evaluation } from './evaluation/task-result.js';
export { readInstructions } from './instructions/read-instructions.js';
export { type OverlapSplit, splitByOverlap } from './overlap/split-by-overlap.js';
export { bootstrapMean, type Score, wilson } from './interval.js';
export { type Answering, answerItems } from './items/answer-items.js';
export { type EvalItem, isRight } from './items/eval-item.js';
export { answerChoices, type KnownLogprobs } from './multiple-choice/answer-choices.js';
export { CHOICE_BENCHMARKS, type ChoiceBenchmark, readChoiceFolder } from './multiple-choice/choice-benchmark.js';
export { readChoiceCsv } from './multiple-choice/choice-csv.js';
export { CHOICE_PROTOCOLS, type ChoiceProtocol, defaultShots } from './multiple-choice/choice-prompt.js';
export type { ChoiceQuestion, ChoiceSubject } from './multiple-choice/choice-question.js';
export { type ChoiceScores, scoreChoices, usualAverage } from './multiple-choice/score-choices.js';
export { type GenerationSettings, generateTexts, type TextRequest, type TextResult } from './engine/generate-texts.js';
export { PromptEncoder } from './engine/prompt-encoder.js';
export { answerGsm8k, type MathScore, scoreMath } from './gsm8k/answer-gsm8k.js';
export { readGsm8k } from './gsm8k/gsm8k-files.js';
export { MATH_PROTOCOLS, MATH_STYLES, type MathProtocol, type MathReading } from './gsm8k/gsm8k-protocol.js';
export { compareItems, type ItemComparison, type ItemPair } from './compare/compare-items.js';
export { holm } from './compare/paired-tests.js';
export { answerCode, type CodeScores, scoreCode } from './code/answer-code.js';
export type { CodeBenchmark } from './code/code-problem.js';
export { readHumanEval } from './code/humaneval.js';
export { readMbpp } from './code/mbpp.js';
export { chooseIsolation, sandboxProblem } from './sandbox/choose-isolation.js';
export type { Isolation } from './sandbox/isolation.js';
export { answerIfeval, type PromptFormat } from './ifeval/answer-ifeval.js';
export { type Ifeval, readIfeval } from './ifeval/ifeval-files.js';
export { type IfevalScores, scoreIfeval } from './ifeval/score-ifeval.js';
export { answerChats, type ChatAnswer, type ChatAnswering, type ChatQuestion } from './chat/answer-chats.js';
export { hasChatTemplate } from './chat/chat-prompter.js';
export { HttpJudge, type HttpJudgeOptions, JUDGE_KEY_VARIABLE, JudgeError } from './judge/http-judge.js';
export type { Judge, JudgeReply, JudgeRequest, JudgeUsage } from './judge/judge.js';
export { judgeAnswers, type Judgements, type Judging, type ToJudge } from './judge/judge-answers.js';
export { judgeNoise, type JudgeNoise } from './judge/judge-noise.js';
export { readFollowBench } from './followbench/follow-files.js';
export {
  FOLLOW_CATEGORIES,
  FOLLOW_LANGUAGES,
  type FollowCategory,
  type FollowItem,
  type FollowLanguage,
} from './followbench/follow-item.js';
export { followRequest, readFollowVerdict } from './followbench/follow-judging.js';
export { followsRule, isRuleChecked } from './followbench/follow-rules.js';
export {
  type FollowOutcome,
  type FollowRates,
  type FollowScores,
  isHard,
  scoreFollow,
  softShare,
} from './followbench/score-follow.js';
export { answerMtBench, type MtConversation } from './mt-bench/answer-mt-bench.js';
export {
  type MtPrompt,
  type MtQuestion,
  type MtReferences,
  readMtPrompts,
  readMtQuestions,
  readMtReferences,
} from './mt-bench/mt-bench-files.js';
export { HIGHEST_RATING, mtRequest, readRating } from './mt-bench/mt-judging.js';
export { type MtRating, type MtScores, scoreMtBench } from './mt-bench/score-mt-bench.js';
