// <musa-choices>: what a person allows. Each answer binds the moment it is given.

import { call } from './api.js';
import { h } from './dom.js';
import { at, listed, named, spanWords } from './named.js';
import { Part, act } from './part.js';
import { known, t } from './words.js';

class Choices extends Part {
  async begin() {
    await Promise.all([this.consents(), this.log(), this.page(), this.stay()]);
  }

  /** What may be left out of an account, and what holds for pictures that nothing else is said of. */
  async page() {
    const { switches } = await call('GET', '/api/me/privacy');
    const field = ({ name, on }) => h('li', { 'data-field': name }, h('div', { class: 'entry' },
      h('p', {}, h('strong', {}, named('field', name)), ' ', h('span', { class: 'quiet' }, t(on ? 'choices.fields.on' : 'choices.fields.off'))),
      on && act(t('choices.fields.forget'), () => this.forget(name))));
    this.find('fields')?.replaceChildren(...switches.filter(({ kind }) => kind === 'field').map(field));
    const training = switches.find(({ kind, name }) => kind === 'consent' && name === 'training');
    this.find('default-training').textContent = t(training ? (training.on ? 'choices.pictures.trained' : 'choices.pictures.untrained') : 'choices.pictures.never');
  }

  async forget(name) {
    const done = await this.attempt(() => call('PATCH', '/api/me/profile', { [name]: '' }).then(() => true));
    await this.attempt(() => this.page());
    if (done) this.say(t('choices.fields.forgotten', { what: named('field', name) }));
  }

  async stay() {
    const { offers } = await call('GET', '/api/me/retention');
    this.find('default-stay').textContent = offers.length ? listed([...new Set(offers.map(({ chosen }) => spanWords(chosen)))]) : t('choices.pictures.stay.policy');
  }

  async consents() {
    const { consents } = await call('GET', '/api/me/consents');
    this.asked = consents.filter(({ mode }) => mode !== 'notice_only');
    this.questions();
  }

  questions() {
    const lines = this.asked.map((line) => this.question(line));
    this.find('consents').replaceChildren(...(lines.length ? lines : [h('p', { class: 'quiet' }, t('choices.none'))]));
  }

  /** One consent. What was never answered shows neither answer; what only binds one picture says so. */
  question(line) {
    const { name, answer, word, purposes, requires, scope, gpc } = line;
    const key = `consent.text.${name}`;
    const text = known(key) ? t(key) : listed(purposes.map((purpose) => named('purpose', purpose)));
    const radio = (value, words, checked) => h('label', {}, h('input', { type: 'radio', name, value, ...(checked ? { checked: true } : {}), change: () => this.choose(name, value) }), h('span', {}, words));
    return h('fieldset', { class: 'field answer', 'data-consent': name },
      h('legend', {}, named('consent', name)), h('p', { class: 'quiet' }, text),
      requires && h('p', { class: 'quiet' }, t('choices.requires', { other: named('consent', requires) })),
      scope?.length && !scope.includes('subject') ? h('p', { class: 'quiet' }, t('choices.each'))
        : h('div', { class: 'segments' }, radio('yes', t('part.yes'), answer === 'yes'), radio('no', t('part.no'), answer === 'no')),
      gpc === 'overrules' && h('p', { class: 'quiet' }, t('choices.overruled')), gpc === 'refused' && h('p', { class: 'quiet' }, t('choices.refused')),
      h('p', { class: 'quiet' }, word ? t('choices.said', { time: at(word.at), version: word.version }) : t('choices.unsaid')));
  }

  /** An answer that did not get through is not shown as given. */
  async choose(name, value) {
    const done = await this.attempt(() => call('PUT', '/api/me/consents', { [name]: value }).then(() => true));
    const read = await this.attempt(() => Promise.all([this.consents(), this.page()]));
    if (!read) this.questions();
    this.querySelector(`[data-consent="${name}"] input:checked`)?.focus();
    if (done) this.say(t(value === 'yes' ? 'choices.yes' : 'choices.no', { what: named('consent', name) }));
  }

  async log() {
    if (!this.find('log')) return;
    let now = null;
    const show = (log) => {
      const { off, kept } = now = log;
      this.find('log').querySelector(`[value="${off ? 'off' : 'on'}"]`).checked = true;
      this.find('kept').replaceChildren(...kept.map(({ category, words }) => h('div', {}, h('dt', {}, named('category', category)), h('dd', { class: 'quiet' }, words))));
    };
    show(await call('GET', '/api/me/log'));
    this.find('log').addEventListener('change', async (event) => {
      const off = event.target.value === 'off';
      const log = await this.attempt(() => call('PUT', '/api/me/log', { off }));
      show(log ?? now);
      if (log) this.say(t(off ? 'choices.log.isoff' : 'choices.log.ison'));
    });
  }
}

customElements.define('musa-choices', Choices);
