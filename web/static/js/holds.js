// <musa-holds>: what is held for compliance: opened, reviewed, released by two.

import './frame.js';

import { call, openHeld } from './api.js';
import { glyph, h, once, say } from './dom.js';
import { at, named } from './named.js';
import { StaffElement } from './staff.js';
import { t } from './words.js';

class Holds extends StaffElement {
  cases = new Map();

  desk() {
    this.find('order').addEventListener('submit', (event) => {
      event.preventDefault();
      once(event.currentTarget, () => this.order(event.target));
    });
    this.find('next').addEventListener('click', (event) => once(event.currentTarget, () => this.attempt(this.find('not-yours'), () => this.page())));
    this.load();
  }

  /** Those whose review is late come first, all of them; then the others, page by page. */
  async load() {
    this.cases.clear();
    this.after = '';
    this.find('cases').replaceChildren();
    try {
      const late = await call('GET', '/api/admin/holds?overdue=true&limit=200');
      late.holds.sort((a, b) => a.review.localeCompare(b.review)).forEach((hold) => this.place(hold));
      await this.page();
    } catch (problem) {
      const theirs = problem.status === 404;
      for (const part of this.querySelectorAll('[data-yours]')) part.hidden = true;
      this.find('not-yours').hidden = false;
      if (!theirs) say(this.find('not-yours'), problem.words);
    }
  }

  async page() {
    const { holds, next } = await call('GET', `/api/admin/holds?limit=50${this.after && `&after=${this.after}`}`);
    holds.filter(({ id }) => !this.cases.has(id)).forEach((hold) => this.place(hold));
    this.after = next ?? '';
    this.find('next').hidden = !next;
    this.find('none').hidden = this.cases.size > 0;
  }

  /** Shows a hold, in the place of what was shown of it before. */
  place(hold, first = false) {
    const before = this.cases.get(hold.id);
    const line = this.line(hold);
    this.cases.set(hold.id, line);
    if (before) before.replaceWith(line);
    else if (first) this.find('cases').prepend(line);
    else this.find('cases').append(line);
    this.find('none').hidden = true;
    return line;
  }

  line(hold) {
    const facts = [['asset', h('code', {}, hold.asset)], ['opened', at(hold.opened)], ['ends', at(hold.ends)]];
    if (hold.state === 'held') facts.push(['review', h('span', hold.overdue ? { class: 'late' } : {}, hold.overdue ? t('holds.late', { time: at(hold.review) }) : at(hold.review))]);
    if (hold.released) facts.push(['released', at(hold.released)]);
    facts.push(['told', t(hold.untold ? 'holds.told.not' : 'holds.told.yes')]);
    const said = h('p', { class: 'fault', role: 'alert', hidden: true });
    const room = h('div', { class: 'room' });
    return h('li', { 'data-hold': hold.id, 'data-state': hold.state, ...(hold.overdue ? { class: 'overdue' } : {}) },
      h('p', { class: 'case' }, h('strong', {}, t(`holds.state.${hold.state}`)), h('code', {}, hold.id)),
      h('dl', { class: 'facts' }, ...facts.map(([name, value]) => h('div', {}, h('dt', {}, t(`holds.fact.${name}`)), h('dd', {}, value)))),
      hold.release_asked && hold.state === 'held' ? h('p', { class: 'quiet' }, t(hold.release_asked_by_you ? 'holds.asked.you' : 'holds.asked.other', { time: at(hold.release_asked) })) : null,
      hold.state === 'held' ? this.acts(hold, said, room) : null, said, room);
  }

  acts(hold, said, room) {
    const act = (words, f, kind = '') => h('button', { type: 'button', class: `press ${kind}`, click: (event) => once(event.currentTarget, () => this.attempt(said, f)) }, words);
    const release = t(hold.release_asked && !hold.release_asked_by_you ? 'holds.release.second' : 'holds.release.first');
    return h('p', { class: 'row' },
      act(t('holds.case'), () => this.case(hold, room)),
      act(t('holds.review'), () => this.words(room, 'note', (note) => this.review(hold, note))),
      act(t('holds.look'), () => this.words(room, 'why', (reason) => this.look(hold, reason, room))),
      hold.release_asked_by_you ? null : act(release, async () => this.place(await call('POST', `/api/admin/holds/${hold.id}/release`)), 'last'));
  }

  /** Does something; what went wrong stands beside it. */
  async attempt(said, f) {
    said.hidden = true;
    try {
      await f();
    } catch (problem) {
      said.hidden = false;
      say(said, problem.words);
      if (!problem.words) throw problem;
    }
  }

  async case({ id }, room) {
    const c = await call('GET', `/api/admin/holds/${id}`);
    room.replaceChildren(h('p', {}, c.reason),
      h('p', { class: 'quiet' }, t('holds.copy', { category: named('category', c.category), size: `${c.width} × ${c.height}` })),
      h('ul', { class: 'trail' }, ...c.history.map((step) => h('li', {}, glyph('receipt'), h('p', {}, named('holds.step', step.action), step.words ? `: ${step.words}` : '',
        h('span', { class: 'quiet' }, h('time', { datetime: step.at }, at(step.at)), ' ', h('code', {}, step.by)))))));
  }

  /** Asks for words, which are entered before anything happens. */
  words(room, kind, then) {
    const said = h('p', { class: 'fault', role: 'alert', hidden: true });
    const field = h('textarea', { rows: '2', maxlength: '2000', 'aria-label': t(`holds.${kind}`), name: kind });
    room.replaceChildren(h('form', { class: 'field', submit: (event) => {
      event.preventDefault();
      once(event.currentTarget, () => this.attempt(said, () => then(field.value)));
    } }, h('p', {}, t(`holds.${kind}`)), field, said, h('p', { class: 'row' }, h('button', { type: 'submit', class: 'press primary' }, t(`holds.${kind}.act`)),
      h('button', { type: 'button', class: 'press', click: () => room.replaceChildren() }, t('js.cancel')))));
    field.focus();
  }

  async review({ id }, note) {
    this.place(await call('POST', `/api/admin/holds/${id}/review`, { note }));
    this.say(t('holds.reviewed'));
  }

  async look({ id }, reason, room) {
    const url = URL.createObjectURL(await openHeld(id, reason));
    const close = () => {
      URL.revokeObjectURL(url);
      room.replaceChildren();
    };
    room.replaceChildren(h('img', { src: url, alt: t('holds.alt') }), h('p', {}, h('button', { type: 'button', class: 'press', click: close }, t('holds.close'))));
  }

  async order(form) {
    const { asset, reason, ends, untold } = form.elements;
    for (const fault of form.querySelectorAll('[data-fault]')) fault.hidden = true;
    const body = { asset: asset.value.trim(), reason: reason.value, untold: untold.checked };
    if (ends.value) body.ends = new Date(`${ends.value}T00:00:00`).toISOString();
    try {
      this.place(await call('POST', '/api/admin/holds', body), true);
      form.reset();
      this.say(t('holds.opened'));
    } catch (problem) {
      const place = form.querySelector(`[data-fault="${problem.field.split('.').pop()}"]`) ?? form.querySelector('[data-fault=""]');
      place.hidden = false;
      say(place, problem.words);
      form.elements[problem.field]?.focus();
    }
  }
}

customElements.define('musa-holds', Holds);
