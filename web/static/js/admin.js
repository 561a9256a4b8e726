// <musa-admin>: how the studio keeps its word, for who runs it. It shows nobody's pictures.

import './frame.js';
import './ring.js';

import { call } from './api.js';
import { clockTime, leftWords } from './clock.js';
import { h, say } from './dom.js';
import { at, named } from './named.js';
import { Queue } from './queue.js';
import { StaffElement } from './staff.js';
import { number, t } from './words.js';

const refresh = 10_000;

class Admin extends StaffElement {
  desk(me) {
    const operator = me.roles.includes('operator');
    if (operator) this.queue = new Queue(this.find);
    this.operator = operator;
    this.find('again').addEventListener('click', () => this.load());
    this.load();
    this.timer = setInterval(() => document.hidden || this.load(), refresh);
    document.addEventListener('visibilitychange', () => document.hidden || this.load());
  }

  disconnectedCallback() {
    clearInterval(this.timer);
  }

  async load() {
    try {
      const [figures, reckoning] = await Promise.all([
        call('GET', '/api/admin/figures'), call('GET', '/api/admin/reckoning'), this.queue?.load(), this.operator && this.usage()]);
      this.figures(figures);
      this.reckoning(reckoning);
      say(this.find('at'), t('admin.at', { time: clockTime(new Date()) }));
    } catch (problem) {
      say(this.find('at'), problem.words ?? t('failure.unknown'));
      if (!problem.words) throw problem;
    }
  }

  figures(f) {
    const fact = (name, value, note = '', bad = false) => h('div', bad ? { class: 'bad' } : {},
      h('dt', {}, t(`admin.fig.${name}`)), h('dd', {}, value), note && h('dd', { class: 'quiet' }, note));
    this.find('figures').replaceChildren(
      fact('overdue', number(f.overdue), f.overdue ? t('admin.fig.oldest', { left: leftWords(f.oldest_overdue_seconds * 1000) }) : t('admin.fig.none'), f.overdue > 0),
      fact('erased', number(f.erased_30d), t('admin.fig.p99', { seconds: number(f.key_p99_seconds) })),
      fact('purged', number(f.purged_30d), t('admin.fig.p99', { seconds: number(f.purge_p99_seconds) })),
      fact('backup', f.last_backup ? at(f.last_backup) : t('admin.fig.never'), f.rehearsed ? t('admin.fig.rehearsed', { time: at(f.rehearsed) }) : t('admin.fig.notrehearsed')));
  }

  reckoning({ reckonings }) {
    this.find('reckoning').replaceChildren(...reckonings.reverse().map((r) => {
      const share = r.finished ? 1 : r.total ? r.looked / r.total : 0;
      const words = r.finished ? t('admin.reckoned', { n: r.shortened, count: number(r.shortened), looked: number(r.looked), time: at(r.finished) })
        : t('admin.reckons', { looked: number(r.looked), total: number(r.total), n: r.shortened, count: number(r.shortened) });
      return h('li', {}, h('musa-ring', { value: String(share), 'data-kind': 'work' }), h('p', {}, h('strong', {}, r.version),
        h('span', { class: 'quiet' }, t('admin.effective', { time: at(r.effective) })), h('span', { class: 'quiet' }, words)));
    }));
  }

  async usage() {
    const { totals, days, min_group: group, epsilon, per, spent } = await call('GET', '/api/admin/usage?days=30');
    this.find('usage').hidden = false;
    say(this.find('usage-words'), t('admin.usage.words', { n: days, group: number(group) }) +
      (epsilon ? ` ${t('admin.usage.noise', { epsilon: number(epsilon), per: t(`admin.per.${per}`), spent: number(spent) })}` : ''));
    if (!totals.length) {
      this.find('totals').replaceChildren(h('tbody', {}, h('tr', {}, h('td', { class: 'quiet' }, t('admin.usage.none')))));
      return;
    }
    const names = ['day', 'kind', 'model', 'jobs'];
    this.find('totals').replaceChildren(
      h('thead', {}, h('tr', {}, ...names.map((name) => h('th', { scope: 'col' }, t(`admin.col.${name}`))))),
      h('tbody', {}, ...totals.reverse().map(({ day, kind, model, jobs }) => h('tr', {}, h('th', { scope: 'row' }, day),
        h('td', { 'data-name': t('admin.col.kind') }, named('kind', kind)), h('td', { 'data-name': t('admin.col.model') }, model || '–'),
        h('td', { 'data-name': t('admin.col.jobs') }, number(jobs))))));
  }
}

customElements.define('musa-admin', Admin);
