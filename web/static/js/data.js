// <musa-data>: what is held of a person, the way to take it away and to bring it in, and what
// they asked for.

import { call } from './api.js';
import { cases } from './cases.js';
import { glyph, h, say } from './dom.js';
import { fault, filled, onSubmit } from './form.js';
import { at, day, listed, named, spanWords } from './named.js';
import { Part } from './part.js';
import { proved } from './prove.js';
import { bring, take } from './take.js';
import { known, number, t } from './words.js';

class Data extends Part {
  async begin() {
    this.find('export').addEventListener('click', () => this.take());
    onSubmit(this.form('import'), (_, form) => this.bring(form));
    onSubmit(this.form('request'), (given) => this.request(given));
    const right = this.form('request').elements.right;
    right.addEventListener('change', () => this.chosen(right));
    this.chosen(right);
    await Promise.all([this.holdings(), this.requests(), this.incidents()]);
  }

  /** Breaches that concern this person, in the words that they were told. */
  async incidents() {
    const { incidents } = await call('GET', '/api/me/incidents');
    this.find('incidents').hidden = !incidents.length;
    this.find('incidents-list').replaceChildren(...incidents.map(({ aware, words }) => h('li', {}, glyph('warn'), h('p', {}, h('strong', {}, at(aware)), ' ', words))));
  }

  async holdings() {
    const { held } = await call('GET', '/api/me/holdings');
    const names = ['what', 'count', 'oldest', 'purposes', 'to', 'ends'];
    const cell = (name, ...content) => h('td', { 'data-name': t(`data.col.${name}`) }, ...content);
    this.find('holdings').replaceChildren(
      h('thead', {}, h('tr', {}, names.map((name) => h('th', { scope: 'col' }, t(`data.col.${name}`))))),
      h('tbody', {}, held.length ? held.map((line) => h('tr', {},
        h('th', { scope: 'row' }, named('category', line.category)),
        cell('count', number(line.items)),
        cell('oldest', line.oldest ? [...new Set([line.oldest, line.newest].map(day))].join(' – ') : '–'),
        cell('purposes', listed(line.purposes.map(({ name }) => named('purpose', name))), h('span', { class: 'quiet under-it' }, `${t('data.col.basis')}: ${listed([...new Set(line.purposes.map(({ basis }) => named('basis', basis)))])}`)),
        cell('to', this.recipients(line)),
        cell('ends', this.ends(line)))) : h('tr', {}, h('td', { colspan: String(names.length), class: 'quiet' }, t('data.nothing')))));
  }

  /** Who else may get it, and how often they did. */
  recipients({ recipients }) {
    if (!recipients?.length) return t('data.nobody');
    return h('ul', {}, recipients.map(({ name, country, received, last }) => h('li', {}, named('role', name), country ? ` (${country})` : '',
      received > 0 && h('span', { class: 'quiet' }, ' ', t('data.received', { n: received, count: number(received), time: at(last) })))));
  }

  /** When it goes: the dates that are known, else the rule's own words. */
  ends({ first_end: first, last_end: last, rules }) {
    const dates = [...new Set([first, last].filter(Boolean).map(day))].join(' – ');
    return h('div', {}, dates || (rules?.length ? '' : t('data.by.rule')), rules?.length && h('details', { class: 'why' }, h('summary', {}, t('js.rule')), rules.map((rule) => h('p', { class: 'quiet' }, rule))));
  }

  /** The archive is streamed to a file; a session that was not proved lately is asked first. */
  async take() {
    const said = this.find('export-fault');
    said.hidden = true;
    try {
      await proved(() => take());
    } catch (problem) {
      if (!problem.words) return;
      said.hidden = false;
      say(said, problem.words);
    }
  }

  async bring(form) {
    const [file] = form.elements.file.files;
    if (!file) {
      fault(form, { field: 'file', words: t('data.import.none') });
      return;
    }
    const bar = this.find('import-progress');
    bar.hidden = false;
    try {
      const done = await bring(file, (share) => {
        bar.value = share;
      });
      say(this.find('imported'), [t('data.import.done', { n: done.pictures, count: number(done.pictures) }), done.already ? t('data.import.already', { n: done.already, count: number(done.already) }) : '', done.whole ? '' : done.why ?? ''].filter(Boolean).join(' '));
      form.reset();
      await this.holdings();
    } finally {
      bar.hidden = true;
    }
  }

  /** What the law gives where the person lives, each with its deadline there. */
  rights(given) {
    const select = this.form('request').elements.right;
    const chosen = select.value;
    select.replaceChildren(...given.map(({ name, within, self_service: self }) => h('option', { value: name, selected: name === chosen,
      'data-deadline': within === '0s' ? t('data.deadline.now') : `${t('data.deadline', { span: spanWords(within) })} ${self ? t('data.self') : ''}` }, named('right', name))));
    this.chosen(select);
  }

  chosen(select) {
    say(this.find('due'), select.selectedOptions[0].dataset.deadline);
    this.find('purposes').hidden = select.value !== 'objection';
  }

  async request(given) {
    const made = await call('POST', '/api/rights', filled(given));
    this.form('request').reset();
    this.chosen(this.form('request').elements.right);
    this.say(known(`case.state.${made.state}`) ? t('data.requests.made', { state: t(`case.state.${made.state}`) }) : t('data.requests.made.plain'));
    await this.requests();
  }

  async requests() {
    const { rights, requests } = await call('GET', '/api/rights');
    this.rights(rights);
    this.find('requests').replaceChildren(...requests.map((one) => cases(one, () => this.attempt(async () => {
      await call('DELETE', `/api/rights/${one.id}`);
      await this.requests();
    }))));
  }
}

customElements.define('musa-data', Data);
