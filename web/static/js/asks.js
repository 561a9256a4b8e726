// The desk of surveys: the operator asks and counts; who answers people reads their own words, for
// a reason that each of them is shown.

import { Problem, call } from './api.js';
import { Desk } from './desk.js';
import { h } from './dom.js';
import { onSubmit } from './form.js';
import { at } from './named.js';
import { number, t } from './words.js';

class Asks extends Desk {
  desk(me) {
    this.roles = me.roles;
    super.desk(me);
  }

  begin() {
    this.find('make').hidden = !this.roles.includes('operator');
    this.find('add').addEventListener('click', () => this.add().querySelector('input').focus());
    this.add();
    onSubmit(this.querySelector('form[data-form="make"]'), async ({ title }, form) => {
      await call('POST', '/api/admin/surveys', { title, questions: this.written() });
      form.reset();
      this.find('questions').replaceChildren();
      this.add();
      await this.done(t('staff.surveys.made'));
    });
  }

  /** Room for one more question. */
  add() {
    const choices = h('div', { class: 'field' }, h('label', {}, t('staff.surveys.choices'), h('textarea', { rows: '4', maxlength: '6000', 'data-choices': true })), h('p', { class: 'quiet' }, t('staff.surveys.choices.help')));
    const kind = h('select', { 'data-kind': true, change: () => { choices.hidden = kind.value !== 'choice'; } },
      ['choice', 'scale', 'words'].map((name) => h('option', { value: name }, t(`staff.surveys.kind.${name}`))));
    const line = h('li', { class: 'stack', 'data-question': true },
      h('div', { class: 'field' }, h('label', {}, t('staff.surveys.question'), h('input', { maxlength: '1000', 'data-ask': true }))),
      h('div', { class: 'field' }, h('label', {}, t('staff.surveys.kind'), kind)), choices,
      h('p', {}, h('button', { type: 'button', class: 'press', click: () => line.remove() }, t('staff.surveys.drop'))));
    this.find('questions').append(line);
    return line;
  }

  written() {
    const questions = [...this.querySelectorAll('[data-question]')].map((line, index) => {
      const kind = line.querySelector('[data-kind]').value;
      const choices = line.querySelector('[data-choices]').value.split('\n').map((choice) => choice.trim()).filter(Boolean);
      return { id: `q${index + 1}`, ask: line.querySelector('[data-ask]').value.trim(), kind, ...(kind === 'choice' ? { choices } : {}) };
    });
    if (!questions.length) throw new Problem(0, { field: 'questions', detail: t('staff.surveys.needed') });
    return questions;
  }

  async list(state, after) {
    const { surveys, next } = await call('GET', `/api/admin/surveys?limit=20&after=${after}`);
    return { cases: surveys, next };
  }

  line({ id, title, created, closed, questions }) {
    const wordy = questions.some(({ kind }) => kind === 'words');
    const operates = this.roles.includes('operator');
    return this.shown({ id, title, state: t(closed ? 'surveys.over' : 'staff.surveys.runs'),
      facts: [[t('staff.since'), at(created)], [t('surveys.over'), closed && at(closed)], [t('staff.surveys.questions'), number(questions.length)]],
      acts: [
        operates && [t('staff.surveys.totals'), async (room) => this.totals(questions, await call('GET', `/api/admin/surveys/${id}/totals`), room)],
        wordy && this.roles.includes('support') && [t('staff.surveys.read'), (room, said) => this.read(id, questions, room, said)],
        operates && !closed && [t('staff.surveys.close'), async () => {
          await call('POST', `/api/admin/surveys/${id}/close`);
          await this.done(t('staff.surveys.closed'));
        }],
      ] });
  }

  totals(questions, { answered, shown, groups, min_group: least }, room) {
    room.replaceChildren(h('p', {}, t('staff.surveys.answered', { n: answered, count: number(answered) }), ' ', h('span', { class: 'quiet' }, t(shown ? 'staff.surveys.hidden' : 'staff.surveys.later', { n: least, count: number(least) }))),
      ...questions.filter(({ kind }) => shown && kind !== 'words').map(({ id, ask }) => h('table', { class: 'ledger' }, h('caption', {}, ask),
        h('tbody', {}, groups.filter(({ question }) => question === id).map(({ choice, people, hidden }) => h('tr', {}, h('th', { scope: 'row' }, choice || t('staff.surveys.left')), h('td', {}, hidden ? t('staff.surveys.few') : number(people))))))));
  }

  read(id, questions, room, said) {
    this.ask(room, said, { words: t('staff.surveys.why'), act: t('staff.surveys.read'), keep: true }, (reason) => this.page(id, questions, reason, '', room, said));
  }

  async page(id, questions, reason, after, room, said) {
    const { remarks, next } = await call('POST', `/api/admin/surveys/${id}/remarks`, { reason, after });
    room.replaceChildren(...questions.filter(({ kind }) => kind === 'words').map(({ id: question, ask }) => h('div', { class: 'stack' }, h('p', {}, h('strong', {}, ask)),
      h('ul', { class: 'talk' }, remarks.filter((one) => one.question === question).map(({ words }) => h('li', {}, h('p', { class: 'said' }, words)))))),
    remarks.length ? '' : h('p', { class: 'quiet' }, t('staff.nothing')),
    next ? h('p', {}, h('button', { type: 'button', class: 'press', click: () => this.attempt(said, () => this.page(id, questions, reason, next, room, said)) }, t('admin.next'))) : '');
  }
}

customElements.define('musa-desk', Asks);
