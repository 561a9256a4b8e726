// <musa-surveys>: questions for who asked for them. An answer can be changed while a survey runs,
// and deleted always.

import { call } from './api.js';
import { h, once } from './dom.js';
import { onSubmit } from './form.js';
import { at } from './named.js';
import { Part } from './part.js';
import { number, t } from './words.js';

class Surveys extends Part {
  async begin() {
    const surveys = [];
    for (let after = '', page; ; after = page.next) {
      page = await call('GET', `/api/surveys?limit=100&after=${after}`);
      surveys.push(...page.surveys);
      if (!page.next) break;
    }
    this.find('none').hidden = surveys.length > 0;
    this.find('surveys').replaceChildren(...await Promise.all(surveys.map((one) => this.sheet(one))));
  }

  async sheet(survey) {
    const { id, title, closed, questions, answered } = survey;
    const { answers } = answered ? await call('GET', `/api/surveys/${id}/answer`) : { answers: {} };
    const over = Boolean(closed);
    const form = h('form', { novalidate: true, method: 'post' },
      questions.map((question) => this.question(id, question, answers[question.id] ?? '', over)),
      h('p', { class: 'fault', 'data-fault': '', role: 'alert', hidden: true }),
      h('p', { class: 'row' },
        !over && h('button', { type: 'submit', class: 'press primary' }, t(answered ? 'surveys.change' : 'surveys.answer')),
        answered && h('button', { type: 'button', class: 'press', click: (event) => once(event.currentTarget, () => this.attempt(() => this.erase(survey))) }, t('surveys.erase'))));
    onSubmit(form, (given) => this.send(survey, given));
    return h('section', { class: 'sheet', 'aria-labelledby': `${id}-title`, 'data-survey': id },
      h('header', {}, h('h2', { id: `${id}-title` }, title), h('span', { class: 'state' }, t(over ? 'surveys.over' : answered ? 'surveys.answered' : 'surveys.new'))),
      over && h('p', { class: 'quiet' }, t('surveys.over.text', { time: at(closed) })), form);
  }

  question(survey, { id, ask, kind, choices }, answer, over) {
    const name = `${survey}-${id}`;
    if (kind === 'words') {
      const area = h('textarea', { id: name, name: id, rows: '4', maxlength: '2000', disabled: over, 'aria-describedby': `${name}-help ${name}-fault` });
      area.value = answer;
      return h('div', { class: 'field' }, h('label', { for: name }, ask), area, h('p', { class: 'quiet', id: `${name}-help` }, t('surveys.words.help')), this.fault(name, id));
    }
    const options = kind === 'scale' ? ['1', '2', '3', '4', '5'] : choices;
    return h('fieldset', { class: 'field answer', disabled: over, 'aria-describedby': `${name}-fault` }, h('legend', {}, ask),
      kind === 'scale' && h('p', { class: 'quiet' }, t('surveys.scale')),
      h('div', { class: `segments${kind === 'choice' ? ' folding' : ''}` }, options.map((option) => h('label', {},
        h('input', { type: 'radio', name: id, value: option, checked: option === answer }), h('span', {}, kind === 'scale' ? number(Number(option)) : option)))),
      this.fault(name, id));
  }

  fault(name, id) {
    return h('p', { class: 'fault', id: `${name}-fault`, 'data-fault': id, hidden: true });
  }

  async send(survey, given) {
    await call('POST', `/api/surveys/${survey.id}/answer`, { answers: given });
    this.say(t('surveys.sent'));
    await this.renew({ ...survey, answered: true });
  }

  async erase(survey) {
    await call('DELETE', `/api/surveys/${survey.id}/answer`);
    this.say(t('surveys.erased'));
    await this.renew({ ...survey, answered: false });
  }

  /** Shows one survey as it stands now; what is being written in the others stays. */
  async renew(survey) {
    const sheet = await this.sheet(survey);
    this.querySelector(`[data-survey="${survey.id}"]`).replaceWith(sheet);
    sheet.querySelector('button')?.focus({ preventScroll: true });
  }
}

customElements.define('musa-surveys', Surveys);
