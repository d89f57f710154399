import { readFileSync } from 'node:fs';
import path from 'node:path';
import { ChatProgram } from './chat-program.js';
import { TemplateError, UnsupportedTemplateError } from './template-error.js';

interface Fragment {
  template: string;
  /** What jinja2 renders; null where it refuses. */
  rendered: string | null;
}

const readJson = (...names: string[]): unknown => JSON.parse(readFileSync(path.resolve(__dirname, ...names), 'utf8'));
const goldens = readJson('../../testing/goldens/chat-templates.json') as {
  names: Record<string, unknown>;
  fragments: Fragment[];
};
const probes = readJson('../../../../tests/cases/chat-template-probes.json') as Fragment[];

/** Fragments that this engine refuses by name although jinja2 renders them. */
const UNSUPPORTED = ['{{ data.items }}'];

const text = (template: string, names: Record<string, unknown>): string =>
  new ChatProgram(template).render({ ...goldens.names, ...names }).text;

describe('ChatProgram', () => {
  it.each([...probes, ...goldens.fragments])('renders $template as jinja2 does', ({ template, rendered }) => {
    if (UNSUPPORTED.includes(template)) expect(() => text(template, {})).toThrow(UnsupportedTemplateError);
    else if (rendered === null) expect(() => text(template, {})).toThrow(TemplateError);
    else expect(text(template, {})).toBe(rendered);
  });

  it.each([
    ['{{ [1] | random }}', 'the filter "random"'],
    ["{% include 'x' %}", '{% include %}'],
    ["{{ 'a' | safe ~ '<' }}", '~ of text marked safe'],
    ["{{ 'ab' is sameas 'ab' }}", 'sameas of other than none, true and false'],
    ["{{ 'a'.encode() }}", 'str.encode'],
    ["{{ '%s' | format }}{{ 10 ** 30 }}", 'not enough arguments'],
    ['{{ 10 ** 30 }}', 'the power 10 ** 30'],
    ['{{ 2.5 ** 2.5 }}', 'the power 2.5 ** 2.5'],
    ['{{ 9007199254740991 + 1 }}', 'the whole number 9007199254740992, beyond 2^53,'],
    ["{{ strftime_now('%U') }}", 'strftime_now("%U")'],
    ['{{ "a" * 100000000 }}', 'a repetition of 100000000 elements'],
    ['{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}', 'calls itself too deeply'],
  ])('refuses %s by name', (template, problem) => {
    expect(() => text(template, {})).toThrow(problem);
  });

  it('refuses a mapping whose order JavaScript has lost', () => {
    expect(() => text('{{ x | tojson }}', { x: { b: 1, '0': 2 } })).toThrow('the mapping with the key "0"');
    expect(text('{{ x | tojson }}', { x: { '0': 2 } })).toBe('{"0": 2}');
  });

  it('tells the time of its clock', () => {
    const now = (): Date => new Date(2026, 2, 5, 14, 7, 9);
    const template = "{{ strftime_now('%d %b %Y|%-d %B %y|%A %a %j|%I:%M %p|%H:%M:%S|%F %e|%%') }}";
    expect(new ChatProgram(template, now).render({}).text).toBe(
      '05 Mar 2026|5 March 26|Thursday Thu 064|02:07 PM|14:07:09|2026-03-05  5|%',
    );
  });

  it('tells what generation blocks wrote', () => {
    const { text: written, generations } = new ChatProgram(
      '{% for m in messages %}{{ m.role }}:{% generation %}{{ m.content }}{% endgeneration %};{% endfor %}',
    ).render(goldens.names);
    expect(generations.map(([start, end]) => written.slice(start, end))).toEqual(['s', 'h\ni']);
  });
});
