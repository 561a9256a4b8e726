// Mails that did not go, or of which nobody knows: they are sent again only by a person.

import { call } from './api.js';
import { Desk } from './desk.js';
import { onSubmit } from './form.js';
import { at, named } from './named.js';
import { number, t } from './words.js';

class Outbox extends Desk {
  states = ['unsure', 'failed', 'waiting', 'sent'].map((name) => ({ name, words: t(`staff.mails.state.${name}`) }));

  begin() {
    const form = this.querySelector('form[data-form="news"]');
    if (!form) return;
    onSubmit(form, async (given) => {
      const words = {};
      for (const tag of form.dataset.languages.split(' ')) {
        if (given[`subject-${tag}`] || given[`text-${tag}`]) words[tag] = { subject: given[`subject-${tag}`], text: given[`text-${tag}`] };
      }
      await call('POST', '/api/admin/news', { kind: given.kind, words });
      form.reset();
      await this.done(t('staff.news.done'));
    });
  }

  async list(state, after) {
    const { mails } = await call('GET', `/api/admin/mails?limit=50&state=${state}${after && `&after=${after}`}`);
    return { cases: mails, next: mails.length === 50 ? mails.at(-1).id : '' };
  }

  line({ id, kind, state, created, sent, tries, code, next }) {
    return this.shown({ id, title: named('staff.mails.kind', kind), state: t(`staff.mails.state.${state}`),
      facts: [[t('staff.since'), at(created)], [t('staff.mails.state.sent'), sent && at(sent)], [t('staff.mails.next'), state === 'waiting' && next && at(next)], [t('staff.mails.tries'), tries > 0 && number(tries)], [t('staff.mails.cause'), code]],
      acts: state === 'unsure' || state === 'failed' ? [[t('staff.mails.again'), async () => {
        await call('POST', `/api/admin/mails/${id}/again`);
        await this.done(t('staff.mails.again.done'));
      }]] : [] });
  }
}

customElements.define('musa-desk', Outbox);
