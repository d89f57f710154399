// Every mutant of a source file: a change of one operator, comparison, constant, condition or returned value that a test
// should notice. The type checker tells numbers from strings.
import ts from 'typescript';

const K = ts.SyntaxKind;

// An operator and what it becomes: formulas, then comparisons (the boundary, and the opposite), then conditions.
const OPERATORS = new Map([
  [K.PlusToken, ['-']],
  [K.MinusToken, ['+']],
  [K.AsteriskToken, ['/']],
  [K.SlashToken, ['*']],
  [K.PercentToken, ['*']],
  [K.AsteriskAsteriskToken, ['*']],
  [K.PlusEqualsToken, ['-=', '=']],
  [K.MinusEqualsToken, ['+=']],
  [K.AsteriskEqualsToken, ['/=']],
  [K.SlashEqualsToken, ['*=']],
  [K.LessThanToken, ['<=', '>=']],
  [K.LessThanEqualsToken, ['<', '>']],
  [K.GreaterThanToken, ['>=', '<=']],
  [K.GreaterThanEqualsToken, ['>', '<']],
  [K.EqualsEqualsEqualsToken, ['!==']],
  [K.ExclamationEqualsEqualsToken, ['===']],
  [K.AmpersandAmpersandToken, ['||']],
  [K.BarBarToken, ['&&']],
]);

const FUNCTIONS = new Map([
  ['Math.min', 'Math.max'],
  ['Math.max', 'Math.min'],
  ['Math.floor', 'Math.ceil'],
  ['Math.ceil', 'Math.floor'],
  ['Math.exp', 'Math.log'],
  ['Math.log', 'Math.exp'],
  ['Math.cos', 'Math.sin'],
  ['Math.sin', 'Math.cos'],
]);

/** Whether a node only makes a message or a type: a change there is no change of what is computed. */
const isBesideThePoint = (node) =>
  ts.isThrowStatement(node) || ts.isTypeNode(node) || ts.isImportDeclaration(node) || ts.isInterfaceDeclaration(node);

/** The mutants of a file: where, the text there, and what it becomes. */
export function mutantsOf(sourceFile, checker) {
  const found = [];
  const add = (node, text) => {
    const start = node.getStart(sourceFile);
    const { line, character } = sourceFile.getLineAndCharacterOfPosition(start);
    const before = sourceFile.text.slice(start, node.end);
    found.push({ start, end: node.end, line: line + 1, column: character + 1, before, after: text });
  };
  const visit = (node) => {
    if (isBesideThePoint(node)) return;
    ofOperator(node, checker, add);
    ofConstant(node, add);
    ofCondition(node, add);
    ofReturn(node, checker, add);
    ts.forEachChild(node, visit);
  };
  visit(sourceFile);
  return found;
}

const isOfFlags = (node, checker, flags) => (checker.getTypeAtLocation(node).flags & flags) !== 0;
const isString = (node, checker) => isOfFlags(node, checker, ts.TypeFlags.StringLike);

function ofOperator(node, checker, add) {
  if (ts.isCallExpression(node)) {
    const other = FUNCTIONS.get(node.expression.getText());
    if (other) add(node.expression, other);
  }
  if (!ts.isBinaryExpression(node)) return;
  const { left, operatorToken, right } = node;
  const isSum = operatorToken.kind === K.PlusToken || operatorToken.kind === K.PlusEqualsToken;
  if (isSum && (isString(left, checker) || isString(right, checker))) return;
  for (const other of OPERATORS.get(operatorToken.kind) ?? []) add(operatorToken, other);
}

// One more, and for a whole number above 0 one less; a fraction moves by a tenth.
function ofConstant(node, add) {
  if (!ts.isNumericLiteral(node)) return;
  const value = Number(node.text);
  if (!Number.isInteger(value)) return add(node, String(value * 1.1));
  add(node, String(value + 1));
  if (value > 0) add(node, String(value - 1));
}

function ofCondition(node, add) {
  if (ts.isPrefixUnaryExpression(node) && node.operator === K.ExclamationToken) add(node, node.operand.getText());
  if (ts.isPrefixUnaryExpression(node) && node.operator === K.MinusToken) add(node, node.operand.getText());
  if (ts.isIfStatement(node)) add(node.expression, `!(${node.expression.getText()})`);
  if (ts.isConditionalExpression(node)) add(node.condition, `!(${node.condition.getText()})`);
}

/** What a function returns: the opposite, one more, an empty list. Text is not judged: most of it is messages. */
function ofReturn(node, checker, add) {
  const isArrow = ts.isArrowFunction(node) && !ts.isBlock(node.body);
  const value = ts.isReturnStatement(node) ? node.expression : isArrow ? node.body : undefined;
  if (!value) return;
  const text = value.getText();
  if (isOfFlags(value, checker, ts.TypeFlags.BooleanLike)) add(value, `!(${text})`);
  else if (isOfFlags(value, checker, ts.TypeFlags.NumberLike)) add(value, `(${text}) + 1`);
  else if (text !== '[]' && checker.isArrayType(checker.getTypeAtLocation(value))) add(value, '[]');
}
