// The staff's door: a token that is pasted becomes this browser's session.

import { Problem, call, enter, leave } from './api.js';
import { say } from './dom.js';
import { listed, named } from './named.js';
import { t } from './words.js';

/** An element that shows itself to the staff alone. What it shows, `desk(me)` fills. */
export class StaffElement extends HTMLElement {
  connectedCallback() {
    this.find = (name) => this.querySelector(`[data-${name}]`);
    this.find('sign').addEventListener('submit', (event) => this.#sign(event));
    this.find('leave').addEventListener('click', () => this.#leave());
    if (this.hasAttribute('data-session')) this.#look();
    else this.find('sign').hidden = false;
  }

  async #look() {
    try {
      const me = await call('GET', '/api/me');
      this.#open(me);
    } catch (problem) {
      this.find('sign').hidden = false;
      if (problem.status !== 401) this.#fault(problem.words);
    }
  }

  #open(me) {
    const staff = me.roles.length > 0;
    this.find('sign').hidden = staff;
    this.find('desk').hidden = !staff;
    if (!staff) return;
    say(this.find('roles'), t('admin.roles', { roles: listed(me.roles.map((role) => named('role', role))) }));
    this.desk(me);
  }

  async #sign(event) {
    event.preventDefault();
    const { token } = event.target.elements;
    try {
      const { roles } = await enter(token.value.trim());
      if (!roles.length) throw new Problem(0, { detail: t('admin.token.none') });
      location.reload();
    } catch (problem) {
      this.#fault(problem.status === 401 ? t('admin.token.unknown') : problem.words);
      token.setAttribute('aria-invalid', 'true');
      token.focus();
    }
  }

  #fault(words) {
    this.find('token-fault').hidden = false;
    say(this.find('token-fault'), words);
  }

  async #leave() {
    try {
      await leave();
      location.reload();
    } catch (problem) {
      this.say(problem.words);
    }
  }

  /** Says what was done, for all to see. */
  say(words) {
    const place = this.find('say');
    place.className = 'aside';
    say(place, words);
    place.scrollIntoView({ block: 'nearest' });
  }
}
