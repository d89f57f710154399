/** The part of JSON Schema that recipes need. */
export interface KeySchema {
  type?: string | string[];
  const?: unknown;
  enum?: unknown[];
  default?: unknown;
  description?: string;
  minimum?: number;
  maximum?: number;
  exclusiveMinimum?: number;
  exclusiveMaximum?: number;
  properties?: Record<string, KeySchema>;
  required?: string[];
  items?: KeySchema;
  additionalProperties?: boolean | KeySchema;
  anyOf?: KeySchema[];
  oneOf?: KeySchema[];
}

const isMapping = ({ properties }: KeySchema): boolean => properties !== undefined;
const choicesOf = ({ anyOf, oneOf }: KeySchema): KeySchema[] => anyOf ?? oneOf ?? [];
const code = (value: unknown): string => `\`${typeof value === 'string' ? value : JSON.stringify(value)}\``;

/** `number > 0`; a bound that every safe integer keeps is none. */
function boundedText(type: string, { minimum, maximum, exclusiveMinimum, exclusiveMaximum }: KeySchema): string {
  const isBound = (bound: number | undefined): bound is number =>
    bound !== undefined && Math.abs(bound) < Number.MAX_SAFE_INTEGER;
  const bounds = [
    isBound(exclusiveMinimum) ? `> ${exclusiveMinimum}` : isBound(minimum) ? `>= ${minimum}` : '',
    isBound(exclusiveMaximum) ? `< ${exclusiveMaximum}` : isBound(maximum) ? `<= ${maximum}` : '',
  ].filter((bound) => bound !== '');
  return [type, bounds.join(', ')].filter(Boolean).join(' ');
}

/** What a value may be, in words. */
function typeText(schema: KeySchema): string {
  if (schema.const !== undefined) return code(schema.const);
  if (schema.enum) return `${schema.enum.length > 1 ? 'one of ' : ''}${schema.enum.map(code).join(', ')}`;
  const choices = choicesOf(schema);
  if (choices.length > 0) return [...new Set(choices.map(typeText))].join(' or ');
  if (isMapping(schema)) return 'mapping';
  if (schema.items) return `list, each ${typeText(schema.items)}`;
  if (typeof schema.additionalProperties === 'object') return `mapping to ${typeText(schema.additionalProperties)}`;
  return boundedText(schema.type === 'boolean' ? 'true or false' : String(schema.type ?? 'any'), schema);
}

/** What stands beside a key: its default, unless that is a mapping of the defaults below it. */
function defaultText({ default: value }: KeySchema, isRequired: boolean): string {
  if (value === undefined) return isRequired ? ', required' : '';
  return typeof value === 'object' && !Array.isArray(value) ? '' : `, default ${code(value)}`;
}

/** The first line of a description as a sentence: further ones are tables of the command's help. */
function summary({ description = '' }: KeySchema): string {
  const [line] = description.split('\n');
  return line === '' ? '' : `${line![0]!.toUpperCase()}${line!.slice(1).replace(/[:.]$/, '')}.`;
}

/** The mappings that a value may be, or be a list of; those of a list that have a kind are told apart by it. */
function mappingsIn(schema: KeySchema, isItem = false): { mapping: KeySchema; suffix: string }[] {
  if (isMapping(schema)) {
    const kind = schema.properties!['kind']?.const;
    return [{ mapping: schema, suffix: isItem ? `[${typeof kind === 'string' ? kind : ''}]` : '' }];
  }
  return schema.items ? mappingsIn(schema.items, true) : choicesOf(schema).flatMap((one) => mappingsIn(one, isItem));
}

/** A line for each key of a mapping, and for those below it, as a Markdown list. */
function lines({ properties = {}, required = [] }: KeySchema, above: string, seen: Set<string>): string[] {
  return Object.entries(properties).flatMap(([key, schema]) => {
    const path = `${above}${key}`;
    const below = mappingsIn(schema).flatMap(({ mapping, suffix }) => lines(mapping, `${path}${suffix}.`, seen));
    if (seen.has(path)) return below; // Of another mapping that may stand in the same place.
    seen.add(path);
    return [
      `- \`${path}\`: ${typeText(schema)}${defaultText(schema, required.includes(key))}. ${summary(schema)}`,
      ...below,
    ];
  });
}

/** The keys of a recipe, a line each: what it may be, its default, what it does. */
export function recipeReference(schema: KeySchema): string {
  const required = schema.required ?? schema.anyOf?.[0]?.required; // One that extends another may lack any key.
  return lines({ ...schema, required }, '', new Set()).join('\n');
}
