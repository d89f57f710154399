import type { Filter, Operations } from './filter.js';
import { NUMBER_FILTERS } from './number-filters.js';
import { SEQUENCE_FILTERS } from './sequence-filters.js';
import { TemplateError, UnsupportedTemplateError } from './template-error.js';
import { TEXT_FILTERS } from './text-filters.js';
import { runTest } from './value-tests.js';
import { Markup } from './values.js';

const FILTERS: ReadonlyMap<string, Filter> = new Map([...TEXT_FILTERS, ...NUMBER_FILTERS, ...SEQUENCE_FILTERS]);

/** Filters of jinja2 that depend on chance or HTML, or wrap lines by rules that no chat template needs. */
const UNSUPPORTED = [
  'filesizeformat',
  'forceescape',
  'pprint',
  'random',
  'striptags',
  'urlencode',
  'urlize',
  'wordwrap',
  'xmlattr',
];

/** Filters that take text marked safe as it is. */
const TAKES_MARKUP = ['default', 'd', 'e', 'escape', 'safe', 'string'];

/** jinja2's filters and tests, with transformers' `tojson`. */
export const OPERATIONS: Operations = {
  filter(name, value, positional, named) {
    const run = FILTERS.get(name);
    if (!run) {
      if (UNSUPPORTED.includes(name)) throw new UnsupportedTemplateError(`the filter "${name}"`);
      throw new TemplateError(`No filter named '${name}'.`);
    }
    if (value instanceof Markup && !TAKES_MARKUP.includes(name)) {
      throw new UnsupportedTemplateError(`the filter "${name}" of text marked safe`);
    }
    return run(value, positional, named, OPERATIONS);
  },
  test: runTest,
};
