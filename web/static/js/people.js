// People: those whose account was suspended until a person decides, and one found by their
// exact address. Nobody can be browsed.

import { call } from './api.js';
import { Desk } from './desk.js';
import { h } from './dom.js';
import { onSubmit } from './form.js';
import { at, named } from './named.js';
import { proved } from './prove.js';
import { t } from './words.js';

class People extends Desk {
  begin() {
    onSubmit(this.querySelector('form[data-form="find"]'), async ({ id }) => {
      const one = id.startsWith('su_') ? { subject: id, state: 'active' } : await call('POST', '/api/admin/people/find', { email: id });
      this.find('found').replaceChildren(this.person(one));
    });
  }

  async list() {
    const { suspensions } = await call('GET', '/api/admin/people');
    return { cases: suspensions };
  }

  /** A suspended account: by when it has to be decided, and the decision. */
  line({ subject, clause, thread, since, due, overdue }) {
    return this.shown({ id: subject, title: t('staff.people.state.suspended'), late: overdue,
      facts: [[t('staff.since'), at(since)], [t('staff.people.due'), h('span', overdue ? { class: 'late' } : {}, at(due))], [t('staff.rule'), h('a', { href: `/privacy#${clause}` }, h('code', {}, clause))], [t('staff.people.thread'), thread && h('code', {}, thread)]],
      acts: [this.decide(subject, 'restore', 'primary', thread), this.decide(subject, 'erase', 'last', thread)] });
  }

  person({ subject, state, tier, created }) {
    return this.shown({ id: subject, title: tier ? named('tier', tier) : t('staff.person'), state: t(`staff.people.state.${state}`),
      facts: [[t('staff.since'), created && at(created)]], acts: state === 'active' ? [this.decide(subject, 'suspend', 'last')] : [] });
  }

  decide(subject, what, kind, thread) {
    return [t(`staff.people.${what}`), (room, said) => this.ask(room, said, { words: t(`staff.people.${what}.words`), act: t(`staff.people.${what}`), kind }, async (reason) => {
      const erased = await proved(() => call('POST', `/api/admin/people/${subject}/${what}`, { reason, ...(thread ? { thread } : {}) }));
      this.find('found').replaceChildren();
      await this.done(t(`staff.people.${what}.done`));
      if (erased?.receipt) this.find('found').replaceChildren(h('li', {}, h('p', {}, t('staff.people.receipt')), h('p', {}, h('a', { href: `/receipts/${erased.receipt}#${erased.capability}` }, h('code', {}, erased.receipt)))));
    }), kind === 'last' ? 'last' : ''];
  }
}

customElements.define('musa-desk', People);
