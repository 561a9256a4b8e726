// The support desk: threads by whose turn it is. One opens for a reason, which its person sees.

import { call } from './api.js';
import { Desk } from './desk.js';
import { h } from './dom.js';
import { at, named } from './named.js';
import { t } from './words.js';

class Helpdesk extends Desk {
  states = ['open', 'answered', 'closed'].map((name) => ({ name, words: t(`thread.state.${name}`) }));

  async list(state, after) {
    const { threads, next } = await call('GET', `/api/admin/support?state=${state}${after && `&after=${after}`}`);
    return { cases: threads, next };
  }

  line(thread) {
    const { id, kind, state, created, updated, subject } = thread;
    const line = this.shown({ id, title: t(`thread.kind.${kind}`), state: t(`thread.state.${state}`), late: kind === 'child' && state === 'open',
      facts: [[t('staff.since'), at(created)], [t('staff.last'), at(updated)], [t('staff.person'), subject && h('code', {}, subject)]],
      acts: [
        [t('staff.support.read'), (room, said) => this.read(thread, room, said)],
        state !== 'closed' && [t('staff.support.close'), async () => {
          await call('POST', `/api/admin/support/${id}/close`);
          await this.done(t('staff.support.closed'));
        }],
      ] });
    return line;
  }

  read({ id }, room, said) {
    this.ask(room, said, { words: t('holds.why'), act: t('staff.support.read'), keep: true }, async (reason) => {
      this.opened(await call('POST', `/api/admin/support/${id}/open`, { reason }), room, said);
    });
  }

  /** An opened thread: what was said, and the answer to it; or it becomes a request by right. */
  opened(thread, room, said) {
    const answer = h('div', { class: 'room' });
    this.ask(answer, said, { words: t('staff.support.answer.words'), act: t('staff.support.answer') }, async (words) => {
      await call('POST', `/api/admin/support/${thread.id}/messages`, { words });
      await this.done(t('staff.support.answered'));
    });
    const right = h('select', { 'aria-label': t('staff.support.right') }, ['access', 'rectification', 'erasure', 'restriction', 'portability', 'objection', 'opt_out_sale'].map((name) => h('option', { value: name }, named('right', name))));
    room.replaceChildren(h('ol', { class: 'talk' }, thread.messages.map(({ from, words, entered, at: time }) => h('li', { 'data-from': from },
      h('p', { class: 'quiet' }, t(from === 'person' ? 'staff.support.them' : 'staff.support.us'), ', ', at(time)), h('p', { class: 'said' }, entered ? t('support.entered', { right: named('right', entered), id: thread.case }) : words)))),
    thread.report ? h('pre', { class: 'report', tabindex: '0', 'aria-label': t('js.report.shown') }, JSON.stringify(thread.report, null, 2)) : '', answer,
    h('p', { class: 'row' }, right, h('button', { type: 'button', class: 'press', click: () => this.attempt(said, async () => {
      await call('POST', `/api/admin/support/${thread.id}/case`, { right: right.value });
      await this.done(t('staff.support.entered'));
    }) }, t('staff.support.enter'))));
  }
}

customElements.define('musa-desk', Helpdesk);
