// Pages of the staff that are a list of cases and what can be done with each.

import './frame.js';

import { h, once, say } from './dom.js';
import { StaffElement } from './staff.js';
import { t } from './words.js';

/** A desk: `states` filter it, `list(state, after)` is a page of it, `line(case)` shows one. */
export class Desk extends StaffElement {
  states = [];
  after = '';

  desk() {
    this.state = this.states[0]?.name ?? '';
    this.find('next')?.addEventListener('click', () => this.load(this.next));
    if (this.states.length) this.filters();
    this.begin?.();
    this.load('');
  }

  filters() {
    this.find('states').replaceChildren(...this.states.map(({ name, words }, index) => h('label', {},
      h('input', { type: 'radio', name: 'state', value: name, checked: index === 0, change: () => {
        this.state = name;
        this.load('');
      } }), h('span', {}, words))));
  }

  async load(after) {
    if (!this.list) return;
    const { state } = this;
    try {
      const { cases, next = '' } = await this.list(state, after);
      if (state !== this.state) return; // another was asked for meanwhile
      this.find('not-yours').hidden = true;
      this.next = next;
      this.find('cases').replaceChildren(...cases.map((one) => this.line(one)));
      if (this.find('next')) this.find('next').hidden = !next;
      this.find('none').hidden = cases.length > 0;
    } catch (problem) {
      if (!problem.words) throw problem;
      // What fails in passing leaves the desk as it stands.
      if (!problem.passing) for (const part of this.querySelectorAll('[data-yours]')) part.hidden = true;
      this.find('not-yours').hidden = false;
      if (problem.status !== 404) say(this.find('not-yours'), problem.words);
    }
  }

  /** One case: its title, its facts, its acts; what goes wrong with one stands beside it. */
  shown({ id, title, state, late, facts, words, acts }) {
    const said = h('p', { class: 'fault', role: 'alert', hidden: true });
    const room = h('div', { class: 'room' });
    return h('li', { 'data-case': id, class: late ? 'overdue' : null },
      h('p', { class: 'case' }, h('strong', {}, title), state && h('span', { class: 'state' }, state), id && h('code', {}, id)),
      h('dl', { class: 'facts' }, facts.filter(([, value]) => value).map(([name, value]) => h('div', {}, h('dt', {}, name), h('dd', {}, value)))),
      words && h('p', { class: 'said' }, words),
      acts.length > 0 && h('p', { class: 'row' }, acts.filter(Boolean).map(([name, act, kind = '']) => h('button', { type: 'button', class: `press ${kind}`, click: (event) => once(event.currentTarget, () => this.attempt(said, () => act(room, said))) }, name))), said, room);
  }

  async attempt(said, act) {
    said.hidden = true;
    try {
      await act();
    } catch (problem) {
      if (!problem.words) throw problem;
      said.hidden = false;
      say(said, problem.words);
    }
  }

  /** Asks for words first; `then(words)` is done with them. */
  ask(room, said, { words, act, kind = 'primary', keep = false, more = '' }, then) {
    const field = h('textarea', { rows: '4', maxlength: '10000', 'aria-label': words, name: 'words' });
    room.replaceChildren(h('form', { class: 'field', submit: (event) => {
      event.preventDefault();
      once(event.currentTarget, () => this.attempt(said, async () => {
        await then(field.value.trim());
        if (!keep) room.replaceChildren();
      }));
    } }, h('p', {}, words), more, field,
    h('p', { class: 'row' }, h('button', { type: 'submit', class: `press ${kind}` }, act), h('button', { type: 'button', class: 'press', click: () => room.replaceChildren() }, t('js.cancel')))));
    field.focus();
  }

  async done(words) {
    await this.load('');
    this.say(words);
  }
}

