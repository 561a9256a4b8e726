// <musa-signin>: the door. The view stands behind the # of the address, so that the browser's
// own way back works.

import './frame.js';

import { Problem, call, keeps, leave, resume, session } from './api.js';
import { fill } from './countries.js';
import { h, say } from './dom.js';
import { fault, filled, onSubmit } from './form.js';
import * as passkey from './passkey.js';
import { t } from './words.js';

const views = ['in', 'up', 'reset', 'factor', 'sent', 'here'];

class SignIn extends HTMLElement {
  factor = ''; // the half of a sign-in that waits for the other
  join = null; // what a provider said of somebody who has no account yet

  connectedCallback() {
    this.find = (name) => this.querySelector(`[data-${name}]`);
    this.form = (name) => this.querySelector(`form[data-form="${name}"]`);
    this.find('blocked').hidden = navigator.cookieEnabled;
    fill(this.querySelector('[name=country]'));
    onSubmit(this.form('password'), async (given) => this.entered(await call('POST', '/api/session/password', given)));
    onSubmit(this.form('factor'), async ({ code }) => this.entered(await call('POST', '/api/session/factor', { factor: this.factor, code })));
    onSubmit(this.form('up'), (given) => this.up(given));
    onSubmit(this.form('reset'), (given) => this.reset(given));
    this.find('leave').addEventListener('click', () => this.leave());
    for (const way of this.querySelectorAll('[data-ways]')) this.way(way);
    addEventListener('hashchange', () => this.turn(true));
    this.returned();
    this.providers();
    this.session();
    this.turn(false);
  }

  /** Back from a provider: its half of the way stands behind the #, and goes from the address. */
  returned() {
    const brought = new URLSearchParams(location.hash.slice(1));
    const problem = new URLSearchParams(location.search).get('problem');
    this.factor = brought.get('factor') ?? '';
    if (brought.get('join')) this.join = { secret: brought.get('join'), provider: brought.get('provider') };
    const view = this.factor ? '#factor' : this.join ? '#up' : location.hash;
    if (problem || view !== location.hash) history.replaceState(null, '', location.pathname + view);
    if (problem) this.say(new Problem(0, { code: problem, detail: t('sign.returned') }).words);
    if (!this.join) return;
    this.find('mailed').hidden = true;
    this.say(t('sign.join'));
    for (const way of this.querySelectorAll('[data-ways="up"]')) way.remove();
  }

  /** Shows the view that the address names; focus follows who asked for it. */
  turn(asked) {
    const wanted = location.hash.slice(1);
    let view = views.includes(wanted) ? wanted : 'in';
    if (view === 'factor' && !this.factor) view = 'in';
    for (const part of this.querySelectorAll('[data-view]')) part.hidden = part.dataset.view !== view;
    this.find('nav').hidden = view !== 'in' && view !== 'up';
    for (const link of this.find('nav').children) link.toggleAttribute('aria-current', link.hash === `#${view}`);
    for (const link of this.find('nav').querySelectorAll('[aria-current]')) link.setAttribute('aria-current', 'true');
    say(this.find('heading'), t(`sign.head.${view}`));
    if (asked) this.find('heading').focus();
  }

  go(view) {
    if (location.hash === `#${view}`) this.turn(true);
    else location.hash = view;
  }

  /** A guest's pictures become the account's; whoever has one is offered it, not asked again. */
  async session() {
    if (!this.hasAttribute('data-session')) return;
    const me = await call('GET', '/api/me').catch(() => null);
    if (me && me.tier !== 'guest' && !location.hash) this.go('here');
    if (me?.tier === 'guest') say(this.find('lede'), t('sign.lede.guest'));
  }

  async entered(answer) {
    if (answer?.factor) {
      this.factor = answer.factor;
      this.go('factor');
      this.form('factor').elements.code.focus();
      return;
    }
    if (!(await keeps('musa_session'))) throw new Problem(0, { code: 'session_unkept' });
    location.assign('/');
  }

  async up(given) {
    if (this.join) {
      await this.known();
      await call('POST', `/api/session/provider/${encodeURIComponent(this.join.provider)}/join`, { ...filled(given), secret: this.join.secret });
      location.assign('/');
      return;
    }
    await call('POST', '/api/accounts', filled(given));
    say(this.find('sent'), t('sign.sent.up'));
    this.form('up').reset();
    this.go('sent');
  }

  async reset(given) {
    await call('POST', '/api/accounts/reset', given);
    say(this.find('sent'), t('sign.sent.reset'));
    this.go('sent');
  }

  /** A session to make an account of: the guest's who is here, or a fresh one. */
  known() {
    if (!this.hasAttribute('data-session')) return session();
    resume();
    return null;
  }

  say(words) {
    this.find('said').hidden = false;
    say(this.find('said'), words);
  }

  async leave() {
    try {
      await leave();
      location.assign('/');
    } catch (problem) {
      this.say(problem.words);
    }
  }

  way(place) {
    const button = place.querySelector('[data-passkey]');
    button.hidden = !passkey.able;
    place.hidden = button.hidden;
    const said = place.querySelector('[data-way-fault]');
    button.addEventListener('click', async () => {
      said.hidden = true;
      try {
        if (place.dataset.ways === 'in') await this.entered(await passkey.enter());
        else await this.upByPasskey();
      } catch (problem) {
        if (problem.field) fault(this.form('up'), problem);
        else {
          said.hidden = false;
          say(said, problem.words);
        }
      }
    });
  }

  /** An account without an address: its passkey is all that leads to it. */
  async upByPasskey() {
    const { country, born, name, username, profile, language } = this.form('up').elements;
    const asked = filled(Object.fromEntries([country, born, name, username, profile, language].filter(Boolean).map((field) => [field.name, field.value])));
    await this.known();
    await passkey.add(asked);
    location.assign('/');
  }

  async providers() {
    const { providers } = await call('GET', '/api/session/providers').catch(() => ({ providers: [] }));
    for (const place of this.querySelectorAll('[data-providers]')) {
      place.replaceChildren(...providers.map(({ name, title }) => h('a', { class: 'press wide', href: `/api/session/provider/${name}` }, t('sign.provider', { name: title ?? name }))));
      if (providers.length) place.closest('[data-ways]').hidden = false;
    }
  }
}

customElements.define('musa-signin', SignIn);
