// A request about rights, as its person sees it: where it stands, and by when it is answered.

import { glyph, h } from './dom.js';
import { at, named, on } from './named.js';
import { act } from './part.js';
import { t } from './words.js';

const open = ['received', 'extended'];

/** One request; `retract` takes it back while that is possible. */
export function cases(one, retract) {
  const { id, right, state, received, due, answered, extended, overdue, outcome, answer, extension_words: why, words, purpose, see, retractable } = one;
  const facts = [['asked', at(received)]];
  if (open.includes(state)) facts.push(['due', h('strong', overdue ? { class: 'late' } : {}, on(due))]);
  if (extended) facts.push(['extended', at(extended)]);
  if (answered) facts.push(['answered', at(answered)]);
  if (purpose) facts.push(['about', named('purpose', purpose)]);
  if (outcome) facts.push(['outcome', named('case.outcome', outcome)]);
  return h('li', { 'data-case': id, 'data-state': state },
    h('p', { class: 'case' }, h('strong', {}, named('right', right)), h('span', { class: 'state' }, named('case.state', state)), h('code', {}, id)),
    h('dl', { class: 'facts' }, facts.map(([name, value]) => h('div', {}, h('dt', {}, t(`case.fact.${name}`)), h('dd', {}, value)))),
    words && h('p', { class: 'quiet' }, words),
    why && h('p', { class: 'quiet' }, why),
    answer && h('div', { class: 'told' }, glyph('receipt'), h('p', {}, answer)),
    see?.length > 0 && h('p', { class: 'quiet' }, t('case.see'), ' ', see.map((place) => [h('code', {}, place), ' ']).flat()),
    retractable && h('p', { class: 'row' }, act(t(outcome === 'restricted' ? 'case.lift' : 'data.requests.withdraw'), retract)));
}
