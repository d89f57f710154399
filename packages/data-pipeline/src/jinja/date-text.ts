import { UnsupportedTemplateError } from './template-error.js';

const DAYS = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday'];
const MONTHS = 'January February March April May June July August September October November December'.split(' ');

/** `datetime.strftime`, in the C locale and local time. @throws UnsupportedTemplateError for rarer directives. */
export function dateText(format: string, now: Date): string {
  return format.replace(/%(-?)(.?)/gs, (whole, minus: string, letter: string) => {
    const text = directive(letter, now);
    if (text === undefined) throw new UnsupportedTemplateError(`strftime_now("${whole}")`);
    return minus === '' ? text : text.replace(/^0+(?=\d)/, '');
  });
}

function directive(letter: string, now: Date): string | undefined {
  const two = (value: number): string => String(value).padStart(2, '0');
  const hour = now.getHours();
  const parts: Record<string, () => string> = {
    '%': () => '%',
    Y: () => String(now.getFullYear()).padStart(4, '0'),
    y: () => two(now.getFullYear() % 100),
    m: () => two(now.getMonth() + 1),
    d: () => two(now.getDate()),
    e: () => String(now.getDate()).padStart(2, ' '),
    H: () => two(hour),
    I: () => two(hour % 12 || 12),
    M: () => two(now.getMinutes()),
    S: () => two(now.getSeconds()),
    p: () => (hour < 12 ? 'AM' : 'PM'),
    A: () => DAYS[now.getDay()],
    a: () => DAYS[now.getDay()].slice(0, 3),
    B: () => MONTHS[now.getMonth()],
    b: () => MONTHS[now.getMonth()].slice(0, 3),
    j: () => String(dayOfYear(now)).padStart(3, '0'),
    F: () => `${now.getFullYear()}-${two(now.getMonth() + 1)}-${two(now.getDate())}`,
    T: () => `${two(hour)}:${two(now.getMinutes())}:${two(now.getSeconds())}`,
  };
  return Object.hasOwn(parts, letter) ? parts[letter]() : undefined;
}

function dayOfYear(now: Date): number {
  const start = Date.UTC(now.getFullYear(), 0, 0);
  return Math.round((Date.UTC(now.getFullYear(), now.getMonth(), now.getDate()) - start) / 86_400_000);
}
