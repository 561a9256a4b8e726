// What a choice would do, in words.

import { h } from './dom.js';
import { at, listed } from './named.js';
import { number, t } from './words.js';

/** One sentence of what a forecast says; nothing it says is left for the person to find out. */
export function forecastWords({ now, sooner, later, pictures, moments, notice }) {
  const all = now + sooner;
  const said = [];
  if (!all && !later) return t('me.stay.same');
  if (all) {
    said.push(t('me.stay.erases', { items: counted(all, pictures.now + pictures.sooner) }));
    const first = moments[0]?.at;
    if (now && sooner) said.push(t('me.stay.nowand', { n: now, count: number(now), first: at(first) }));
    else if (now) said.push(t('me.stay.allnow'));
    else said.push(t('me.stay.first', { first: at(first) }));
  }
  if (later) said.push(t('me.stay.later', { n: later, items: counted(later, pictures.later) }));
  if (notice) said.push(t('me.stay.notice', { time: at(notice) }));
  return said.join(' ');
}

/** When they go, where that is more than one moment; those that read the same are one. */
export function momentLines({ moments }) {
  const lines = new Map();
  for (const m of moments) lines.set(at(m.at), (lines.get(at(m.at)) ?? 0) + m.items);
  if (lines.size < 2) return [];
  return [...lines].map(([time, items]) => h('li', {}, `${time}: ${t('me.stay.moment', { n: items, count: number(items) })}`));
}

/** Pictures, and records of how they were made: "2 pictures and 4 records …". */
export function counted(items, pictures) {
  const said = [['me.pictures', pictures], ['me.records', items - pictures]].filter(([, n]) => n);
  return said.length ? listed(said.map(([key, n]) => t(key, { n, count: number(n) }))) : t('me.nothing');
}
