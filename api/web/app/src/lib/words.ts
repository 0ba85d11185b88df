// Every word that a page shows stands in words/en.json; what is asked for is a path in it.
import words from '../../../words/en.json';

type Values = Record<string, string | number>;

const PSEUDO = new URLSearchParams(location.search).get('words') === 'pseudo';

/** Return the words at a path under `page`, with `{names}` filled in; the path itself when there are none. */
export function say(path: string, values: Values = {}): string {
  let node: unknown = words.page;
  for (const key of path.split('.')) node = (node as Record<string, unknown> | undefined)?.[key];
  const text = typeof node === 'string' ? node : path;
  const filled = text.replace(/\{(\w+)\}/g, (_, name: string) => String(values[name] ?? ''));
  return PSEUDO ? lengthen(filled) : filled;
}

/** Return a text 40 % longer in brackets: what overflows with it has no room for other languages. */
function lengthen(text: string): string {
  return `[${text}${'~'.repeat(Math.ceil(text.length * 0.4))}]`;
}

const rules = words as unknown as { costs?: Record<string, string> };

/** Return a component of the cost in words. */
export function sayCost(component: string): string {
  const text = rules.costs?.[component];
  return text && !text.includes('{') ? text : component.replaceAll('-', ' ').replaceAll('_', ' ');
}

/** Whether there are words at a path under `page`. */
export function has(path: string): boolean {
  return say(path) !== (PSEUDO ? lengthen(path) : path);
}
