// <musa-consent>: the question about cookies that the service can do without. Nothing is set
// before the answer, and a no is remembered as well as a yes, so that nobody is asked twice.

import { Problem, call, keeps } from './api.js';
import { say } from './dom.js';

/**
 * Sends answers by name, "yes" or "no". They bind from this moment, on this page, too.
 * Where the browser does not keep them nothing else is kept either, and that is said.
 */
export async function answer(answers) {
  await call('PUT', '/api/consents', answers);
  if (!(await keeps('musa_consent'))) throw new Problem(0, { code: 'answer_unkept' });
  const root = document.documentElement;
  root.toggleAttribute('data-keeps', answers.preferences ? answers.preferences === 'yes' : root.hasAttribute('data-keeps'));
}

class Consent extends HTMLElement {
  connectedCallback() {
    for (const button of this.querySelectorAll('[data-answer]')) {
      button.addEventListener('click', () => this.answer(button.dataset.answer));
    }
  }

  async answer(said) {
    try {
      await answer(Object.fromEntries(this.dataset.names.split(' ').map((name) => [name, said])));
    } catch (problem) {
      this.fault(problem.words);
      return;
    }
    const main = document.getElementById('main');
    main.tabIndex = -1;
    main.focus({ preventScroll: true });
    this.remove();
  }

  fault(words) {
    const place = this.querySelector('.fault');
    place.hidden = false;
    say(place, words);
  }
}

customElements.define('musa-consent', Consent);
