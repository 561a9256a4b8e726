// The register of incidents: from the moment one is known the authority's clock runs.

import { call } from './api.js';
import { leftWords } from './clock.js';
import { Desk } from './desk.js';
import { h } from './dom.js';
import { filled, onSubmit } from './form.js';
import { at } from './named.js';
import { number, t } from './words.js';

class Incidents extends Desk {
  begin() {
    onSubmit(this.querySelector('form[data-form="enter"]'), async (given, form) => {
      const body = filled(given);
      if (body.aware) body.aware = new Date(body.aware).toISOString();
      await call('POST', '/api/admin/incidents', body);
      form.reset();
      await this.done(t('staff.incidents.entered'));
    });
  }

  async list() {
    const { incidents } = await call('GET', '/api/admin/incidents');
    return { cases: incidents };
  }

  line(one) {
    const { id, aware, due, overdue, authority_told: told, people_told: noticed, ended, affected, told: heard } = one;
    const state = ended ? 'ended' : told ? 'told' : 'open';
    const clock = told ? t('staff.incidents.told.at', { time: at(told) }) : overdue ? t('holds.late', { time: at(due) }) : `${t('js.left', { left: leftWords(Date.parse(due) - Date.now()) })} (${at(due)})`;
    return this.shown({ id, title: t('staff.incidents.one', { time: at(aware) }), state: t(`staff.incidents.${state}`), late: overdue,
      facts: [[t('staff.incidents.due'), h('span', overdue ? { class: 'late' } : {}, clock)], [t('staff.incidents.affected'), number(affected)], [t('staff.incidents.noticed'), noticed && `${at(noticed)}, ${number(heard)}`]],
      acts: ended ? [this.reading(id)] : [this.reading(id),
        this.amending(id),
        !told && this.noted(id, 'authority'),
        [t('staff.incidents.affect'), (room, said) => this.ask(room, said, { words: t('staff.incidents.affect.words'), act: t('staff.incidents.affect') }, async (list) => {
          await call('POST', `/api/admin/incidents/${id}/affected`, list === '*' ? { all: true } : { subjects: list.split(/[\s,]+/).filter(Boolean) });
          await this.done(t('staff.incidents.noted'));
        })],
        affected > 0 && [t('staff.incidents.notify'), async () => {
          await call('POST', `/api/admin/incidents/${id}/tell`);
          await this.done(t('staff.incidents.notify.done'));
        }],
        told && this.noted(id, 'end')] });
  }

  /** Reads what happened; the look is entered. */
  reading(id) {
    return [t('staff.incidents.read'), async (room) => {
      const one = await call('GET', `/api/admin/incidents/${id}`);
      const parts = ['what', 'consequences', 'measures', 'notice'].filter((name) => one[name]);
      room.replaceChildren(h('dl', { class: 'facts tall' }, parts.map((name) => h('div', {}, h('dt', {}, t(`staff.incidents.${name}`)), h('dd', { class: 'said' }, one[name])))),
        h('ul', { class: 'trail' }, (one.notes ?? []).map(({ at: time, words }) => h('li', {}, h('span'), h('p', {}, words, h('span', { class: 'quiet' }, at(time)))))));
    }];
  }

  /** Completes what is known; what people were told stays as they were told it. */
  amending(id) {
    return [t('staff.incidents.amend'), async (room, said) => {
      const one = await call('GET', `/api/admin/incidents/${id}`);
      const field = (name, words, value, rest = {}) => {
        const area = h('textarea', { id: `${id}-${name}`, name, rows: '4', maxlength: '8000', ...rest });
        area.value = value;
        return h('div', { class: 'field' }, h('label', { for: `${id}-${name}` }, words), area, h('p', { class: 'fault', 'data-fault': name, hidden: true }));
      };
      const form = h('form', { method: 'post', novalidate: true }, ['what', 'consequences', 'measures', 'notice'].map((name) =>
        field(name, t(`staff.incidents.${name}`), one[name] ?? '', { readonly: name === 'notice' && Boolean(one.people_told) })),
      field('note', t('staff.incidents.amend.words'), '', { maxlength: '2000' }),
      h('p', { class: 'fault', 'data-fault': '', role: 'alert', hidden: true }),
      h('p', { class: 'row' }, h('button', { type: 'submit', class: 'press primary' }, t('staff.incidents.amend')), h('button', { type: 'button', class: 'press', click: () => room.replaceChildren() }, t('js.cancel'))));
      onSubmit(form, async (given) => {
        await call('PUT', `/api/admin/incidents/${id}`, given);
        await this.done(t('staff.incidents.noted'));
      });
      room.replaceChildren(form);
    }];
  }

  noted(id, what) {
    return [t(`staff.incidents.${what}`), (room, said) => this.ask(room, said, { words: t(`staff.incidents.${what}.words`), act: t(`staff.incidents.${what}`) }, async (note) => {
      await call('POST', `/api/admin/incidents/${id}/${what}`, { note });
      await this.done(t('staff.incidents.noted'));
    })];
  }
}

customElements.define('musa-desk', Incidents);
