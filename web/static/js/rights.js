// The queue of requests about rights: what runs out first stands first.

import { call } from './api.js';
import { Desk } from './desk.js';
import { h } from './dom.js';
import { at, named, on } from './named.js';
import { t } from './words.js';

class Rights extends Desk {
  async list(_, after) {
    const { requests, next } = await call('GET', `/api/admin/rights?limit=50${after && `&after=${after}`}`);
    return { cases: requests, next };
  }

  /** What the answer to a request for erasure erases: a picture, or where none is named, everything. */
  unit() {
    const whole = h('input', { type: 'checkbox' });
    const asset = h('input', { maxlength: '40' });
    return {
      node: h('div', { class: 'stack' }, h('div', { class: 'field' }, h('label', {}, t('staff.rights.erase.asset'), asset)), h('label', {}, whole, ' ', t('staff.rights.erase.account'))),
      said: () => (whole.checked ? { unit: 'account' } : asset.value.trim() && { unit: 'asset', asset: asset.value.trim() }),
    };
  }

  /** What the answer to a request for rectification corrects in the account; empty leaves as it is. */
  correction() {
    const fields = ['name', 'username', 'profile'].map((name) => [name, h(name === 'profile' ? 'textarea' : 'input', { maxlength: '1000' })]);
    return {
      node: h('div', { class: 'stack' }, h('p', { class: 'quiet' }, t('staff.rights.correct')), fields.map(([name, field]) => h('div', { class: 'field' }, h('label', {}, t(`staff.rights.correct.${name}`), field)))),
      said: () => {
        const correct = Object.fromEntries(fields.map(([name, field]) => [name, field.value.trim()]).filter(([, value]) => value));
        return Object.keys(correct).length > 0 && { correct };
      },
    };
  }

  line(one) {
    const { id, right, state, received, due, law, subject, outcome, overdue, purpose } = one;
    const decide = (what, kind) => [t(`staff.rights.${what}`), (room, said) => {
      const unit = what !== 'answer' ? null : right === 'erasure' ? this.unit() : right === 'rectification' ? this.correction() : null;
      this.ask(room, said, { words: t(`staff.rights.${what}.words`), act: t(`staff.rights.${what}`), kind, more: unit?.node }, async (words) => {
        await call('POST', `/api/admin/rights/${id}/${what}`, { words, ...unit?.said() });
        await this.done(t(`staff.rights.${what}.done`));
      });
    }, kind === 'last' ? 'last' : ''];
    return this.shown({ id, title: named('right', right), state: named('case.state', state), late: overdue,
      facts: [[t('case.fact.asked'), at(received)], [t('case.fact.due'), h('span', overdue ? { class: 'late' } : {}, on(due))], [t('case.fact.about'), purpose && named('purpose', purpose)],
        [t('staff.law'), law && named('staff.law', law)], [t('staff.person'), subject && h('code', {}, subject)], [t('case.fact.outcome'), outcome && named('case.outcome', outcome)]],
      acts: [[t('staff.rights.read'), async (room) => {
        const { words, answer } = await call('GET', `/api/admin/rights/${id}`);
        room.replaceChildren(h('p', { class: 'said' }, words || t('staff.rights.wordless')), answer ? h('p', { class: 'said' }, answer) : '');
      }], decide('answer', 'primary'), state === 'received' && decide('extend', 'primary'), decide('refuse', 'last')] });
  }
}

customElements.define('musa-desk', Rights);
