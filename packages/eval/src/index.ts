export { type Constraint, constraintSchema, isSatisfied, itemsOf } from './instructions/constraint.js';
export {
  type InstructionScores,
  type JudgedResponse,
  type RuleInstruction,
  scoreInstructions,
} from './instructions/score-instructions.js';
export { type OverlapSplit, splitByOverlap } from './overlap/split-by-overlap.js';
export { bootstrapMean, type Score, wilson } from './interval.js';
export { type ChoiceQuestion, type ChoiceSubject, readMmluCsv, readMmluFolder } from './multiple-choice/mmlu-files.js';
export { mmluPrefix, mmluQuestion } from './multiple-choice/mmlu-prompt.js';
export { type ChoiceOutcome, type ChoiceScores, scoreChoices } from './multiple-choice/score-choices.js';
