// What moved a person's credits, newest first. Nothing is asked of the server before somebody looks.

import { call } from './api.js';
import { glyph, h, once, say } from './dom.js';
import { at } from './named.js';
import { number, t } from './words.js';

/** Fills the fold of the credits once it is opened, page by page. */
export function ledger(fold) {
  const find = (name) => fold.querySelector(`[data-ledger-${name}]`);
  let after = '';
  const page = () => once(fold, async () => {
    find('fault').hidden = true;
    try {
      const { lines, next } = await call('GET', `/api/me/ledger${after && `?after=${after}`}`);
      find('none').hidden = Boolean(lines.length || after);
      find('lines').append(...lines.map(line));
      after = next ?? '';
      find('older').hidden = !next;
    } catch (problem) {
      if (!problem.words) throw problem;
      find('fault').hidden = false;
      say(find('fault'), problem.words);
    }
  });
  fold.addEventListener('toggle', () => fold.open && !find('lines').childElementCount && page());
  find('older').addEventListener('click', page);
}

function line({ kind, at: time, amount, held, job }) {
  const n = Math.abs(amount || held);
  return h('li', {}, glyph('receipt'), h('p', {}, t(`me.ledger.${kind}`, { count: number(n) }),
    h('span', { class: 'quiet' }, h('time', { datetime: time }, at(time)), job && h('code', {}, job))));
}
