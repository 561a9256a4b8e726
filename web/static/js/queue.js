// The cleanup queue: what was to go, how far that is, and what does not want to.

import { call } from './api.js';
import { h, say } from './dom.js';
import { at, named } from './named.js';
import { number, t } from './words.js';

const states = ['waiting', 'erasing', 'purged', 'failed'];
const page = 50;

export class Queue {
  state = '';
  after = '';

  constructor(find) {
    this.find = find;
    find('cleanup').hidden = false;
    find('next').addEventListener('click', () => this.go(this.next));
    find('first').addEventListener('click', () => this.go(''));
  }

  go(after) {
    this.after = after;
    return this.load();
  }

  /** Where nothing was chosen yet, begins with what needs somebody, else with what is gone. */
  async load() {
    if (!this.state) {
      const counts = await call('GET', '/api/admin/cleanup');
      this.state = ['failed', 'waiting', 'erasing'].find((state) => counts[state] > 0) ?? 'purged';
    }
    const query = new URLSearchParams({ state: this.state, limit: page });
    if (this.after) query.set('after', this.after);
    const { state } = this;
    const cleanup = await call('GET', `/api/admin/cleanup?${query}`);
    if (state === this.state) this.show(cleanup);
  }

  show(cleanup) {
    const { entered, items, next = '' } = cleanup;
    this.next = next;
    say(this.find('cleanup-sum'), t('admin.cleanup.sum', { n: entered, count: number(entered), ...Object.fromEntries(states.map((s) => [s, number(cleanup[s])])) }));
    this.filters(cleanup);
    this.find('next').hidden = !next;
    this.find('first').hidden = !this.after;
    this.find('lines').replaceChildren(this.head(), h('tbody', {}, ...(items.length ? items.map((item) => this.line(item)) : [this.none()])));
  }

  /** The states with their numbers; made once, so that a refresh takes no focus away. */
  filters(cleanup) {
    const place = this.find('states');
    if (!place.children.length) {
      for (const state of states) {
        const radio = h('input', { type: 'radio', name: 'state', value: state, checked: state === this.state, change: () => {
          this.state = state;
          this.go('');
        } });
        place.append(h('label', {}, radio, h('span', {})));
      }
    }
    states.forEach((state, index) => say(place.children[index].lastElementChild, `${t(`admin.state.${state}`)} ${number(cleanup[state])}`));
  }

  head() {
    const names = ['what', 'state', 'due', 'erased', 'purged', 'tries'];
    return h('thead', {}, h('tr', {}, ...names.map((name) => h('th', { scope: 'col' }, t(`admin.col.${name}`)))));
  }

  line({ item, category, state, due, erased, purged, tries, cause }) {
    const cell = (name, ...content) => h('td', { 'data-name': t(`admin.col.${name}`) }, ...content);
    const when = (instant) => (instant ? h('time', { datetime: instant }, at(instant)) : '–');
    return h('tr', { 'data-state': state },
      h('th', { scope: 'row' }, named('category', category), h('code', {}, item)),
      cell('state', h('span', { class: `standing ${state}` }, t(`admin.state.${state}`))),
      cell('due', when(due)), cell('erased', when(erased)), cell('purged', when(purged)),
      cell('tries', tries ? `${number(tries)}${cause ? ` · ${cause}` : ''}` : '–'));
  }

  none() {
    return h('tr', {}, h('td', { colspan: '6', class: 'quiet' }, t('admin.cleanup.none')));
  }
}
