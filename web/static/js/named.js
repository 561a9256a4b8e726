// Names of the policy, and lengths of time as it writes them, in the page's language.

import { locale, known, t } from './words.js';

/** The page's own word for a name of the policy, or the name as it stands. */
export function named(kind, name) {
  return known(`${kind}.${name}`) ? t(`${kind}.${name}`) : name.replaceAll('_', ' ');
}

/** "48h" as "48 hours". */
export function spanWords(span) {
  const [, n, unit] = /^(\d+)([a-z]+)$/.exec(span) ?? [];
  return unit && known(`span.${unit}`) ? t(`span.${unit}`, { n: Number(n) }) : span;
}

const moment = new Intl.DateTimeFormat(locale, { dateStyle: 'medium', timeStyle: 'short' });
const short = new Intl.DateTimeFormat(locale, { dateStyle: 'medium' });
const date = new Intl.DateTimeFormat(locale, { dateStyle: 'long' });

/** A moment in short: "22 Nov 2026, 14:05". */
export function at(instant) {
  return moment.format(new Date(instant));
}

/** "22 Nov 2026" */
export function day(instant) {
  return short.format(new Date(instant));
}

export function on(instant) {
  return date.format(new Date(instant));
}

/** A list of names: "pictures, words and records". */
export function listed(names) {
  return new Intl.ListFormat(locale, { type: 'conjunction' }).format(names);
}
