// <musa-cookies>: what this browser was asked, what it said, and another answer.

import './frame.js';

import { call } from './api.js';
import { answer } from './consent.js';
import { say } from './dom.js';
import { onSubmit } from './form.js';
import { t } from './words.js';

class Cookies extends HTMLElement {
  async connectedCallback() {
    this.querySelector('[data-blocked]').hidden = navigator.cookieEnabled;
    onSubmit(this.querySelector('form'), (given) => this.choose(given));
    const { consents } = await call('GET', '/api/consents').catch(() => ({ consents: [] }));
    for (const { name, answer: said } of consents) {
      const radio = this.querySelector(`input[name="${name}"][value="${said}"]`);
      // What the person chose before this answer came stands.
      if (radio && !this.querySelector(`input[name="${name}"]:checked`)) radio.checked = true;
    }
  }

  async choose(given) {
    await answer(given);
    document.querySelector('musa-consent')?.remove();
    say(this.querySelector('[data-said]'), t(Object.values(given).includes('yes') ? 'cookies.said.yes' : 'cookies.said.no'));
  }
}

customElements.define('musa-cookies', Cookies);
