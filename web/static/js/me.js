// <musa-me>: a person's account: how long their things stay, who else saw them, the way out.

import './frame.js';

import { accord } from './accord.js';
import { call } from './api.js';
import { showClosing } from './closing.js';
import { glyph, h, once, say } from './dom.js';
import { counted, forecastWords, momentLines } from './forecast.js';
import { ledger } from './ledger.js';
import { at, listed, named, on, spanWords } from './named.js';
import { over } from './part.js';
import { proved } from './prove.js';
import { number, t } from './words.js';

class Me extends HTMLElement {
  last = ''; // of the uses that are shown

  connectedCallback() {
    this.find = (name) => this.querySelector(`[data-${name}]`);
    this.find('leave').addEventListener('click', () => this.leave());
    this.find('confirm').addEventListener('click', (event) => once(event.currentTarget, () => this.choose()));
    this.find('older').addEventListener('click', (event) => once(event.currentTarget, () => this.uses().catch((problem) => this.say(problem.words))));
    this.find('close').addEventListener('click', () => this.ask(true));
    this.find('close-not').addEventListener('click', () => this.ask(false));
    this.find('close-now').addEventListener('click', () => this.close());
    ledger(this.find('ledger'));
    this.load();
  }

  async load() {
    try {
      const me = await call('GET', '/api/me');
      this.open = !me.closing;
      for (const part of this.querySelectorAll('[data-open]')) part.hidden = !this.open;
      if (me.closing) {
        showClosing(this.find, me.closing, () => this.load());
        return;
      }
      accord(me);
      this.facts(me);
      this.told(me);
      await Promise.all([this.offers(), this.uses()]);
    } catch (problem) {
      this.fail(problem);
    }
  }

  /** Words for what did not work; a session that has ended leaves nothing to show. */
  fail(problem) {
    if (problem.status === 401) over(this, t('me.none'));
    else say(document.querySelector('[data-lede]'), problem.words);
  }

  facts(me) {
    this.find('guest').hidden = me.tier !== 'guest';
    say(this.find('tier'), named('tier', me.tier));
    say(this.find('credits'), number(me.credits));
    say(this.find('since'), on(me.created));
    say(this.find('id'), me.subject);
    // Of the rules only those that bear on this person, also by the plan whose notice still runs.
    for (const row of this.querySelectorAll('tr[data-of]')) {
      const tiers = row.dataset.of.split(' ').filter(Boolean);
      row.hidden = tiers.length > 0 && !tiers.includes(me.tier) && !tiers.includes(me.former);
    }
  }

  /** A lost plan that will shorten something: how much, and from when. */
  told(me) {
    const items = me.notices.reduce((sum, notice) => sum + notice.items, 0);
    this.find('told').hidden = !me.former;
    if (!me.former) return;
    const said = { former: named('tier', me.former), time: at(me.grace), n: items, count: number(items) };
    say(this.find('told-words'), t(items ? 'me.told.some' : 'me.told.none', said) + (items ? ` ${t('me.told.first', { time: at(me.notices[0].at) })}` : ''));
  }

  async offers() {
    this.offered = (await call('GET', '/api/me/retention')).offers;
    this.choices();
  }

  /** The choices as the server has them; what was only looked at is not shown as chosen. */
  choices() {
    const offers = this.offered;
    if (!offers.length) {
      this.find('offers').replaceChildren(h('p', {}, t('me.stay.none')));
      return;
    }
    this.find('offers').replaceChildren(...offers.map((offer, index) => this.offer(offer, index)));
  }

  offer({ categories, choices, default: kept, chosen, items, pictures }, index) {
    const radios = choices.map((choice) => h('label', {},
      h('input', { type: 'radio', name: `keep-${index}`, value: choice, ...(choice === chosen ? { checked: true } : {}), change: () => this.preview(choice) }),
      h('span', {}, choice === kept ? t('me.stay.default', { span: spanWords(choice) }) : spanWords(choice))));
    return h('fieldset', { class: 'field' },
      h('legend', {}, t('me.stay.legend')),
      h('div', { class: 'segments folding' }, ...radios),
      h('p', { class: 'quiet' }, t('me.stay.covers', { what: listed(categories.map((c) => named('category', c))), items: counted(items, pictures) })));
  }

  async preview(keep) {
    this.wish = keep;
    try {
      const forecast = await call('POST', '/api/me/retention/preview', { keep });
      if (this.wish !== keep) return;
      this.find('preview').hidden = false;
      this.find('preview').classList.toggle('last', forecast.now > 0);
      say(this.find('preview-words'), forecastWords(forecast));
      this.find('moments').replaceChildren(...momentLines(forecast));
      const confirm = this.find('confirm');
      confirm.classList.toggle('last', forecast.now > 0);
      say(confirm, forecast.now ? t('me.stay.erase', { items: counted(forecast.now, forecast.pictures.now) }) : t('me.stay.choose', { span: spanWords(keep) }));
    } catch (problem) {
      this.leave();
      this.say(problem.words);
    }
  }

  leave() {
    this.wish = '';
    this.find('preview').hidden = true;
    this.choices();
    this.find('offers').querySelector('input:checked')?.focus();
  }

  async choose() {
    const keep = this.wish;
    try {
      await call('PUT', '/api/me/retention', { keep });
      this.say(t('me.stay.chosen', { span: spanWords(keep) }));
      await this.offers();
    } catch (problem) {
      this.say(problem.words);
    }
    this.leave();
  }

  async uses() {
    const { uses, held, next } = await call('GET', `/api/me/disclosures${this.last && `?after=${this.last}`}`);
    if (!this.last) this.find('held').replaceChildren(...held.map((hold) => this.held(hold)));
    this.find('uses').append(...uses.map((use) => h('li', {}, glyph('receipt'),
      h('p', {}, t('me.seen.use', { role: named('role', use.role), purpose: named('purpose', use.purpose) }),
        h('span', { class: 'quiet' }, h('time', { datetime: use.at }, at(use.at)), use.item ? h('code', {}, use.item) : '')))));
    this.find('seen-none').hidden = Boolean(held.length || uses.length || this.last);
    this.last = next ?? '';
    this.find('older').hidden = !next;
  }

  held({ asset, state, opened, ends, released }) {
    const words = state === 'released' ? t('me.held.released', { time: at(released) }) : t('me.held', { opened: at(opened), ends: at(ends) });
    return h('li', {}, glyph('bell'), h('p', {}, words, h('span', { class: 'quiet' }, h('code', {}, asset))));
  }

  ask(sure) {
    this.find('sure').hidden = !sure;
    this.find('close').setAttribute('aria-expanded', String(sure));
    this.find(sure ? 'close-now' : 'close').focus();
  }

  async close() {
    try {
      const closing = await proved(() => call('POST', '/api/me/erasure'));
      for (const part of this.querySelectorAll('[data-open]')) part.hidden = true;
      this.ask(false);
      showClosing(this.find, closing, () => this.load());
      this.find('closing').focus();
    } catch (problem) {
      if (problem.words) this.say(problem.words);
    }
  }

  say(words) {
    const place = this.find('say');
    place.classList.remove('unseen');
    place.className = 'aside';
    say(place, words);
  }
}

customElements.define('musa-me', Me);
