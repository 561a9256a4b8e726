// <musa-confirm>: what a link of a mail is good for. The secret stands behind the #; it is
// used by a press, so that nothing that merely looks at links spends it.

import './frame.js';

import { call } from './api.js';
import { say } from './dom.js';
import { onSubmit } from './form.js';
import { t } from './words.js';

const doors = {
  sign_up: { path: '/api/accounts/confirm', next: '/' },
  reset: { path: '/api/accounts/reset/confirm', next: '/signin' },
  change: { path: '/api/me/address/confirm', next: '/me/profile', session: true },
  list: { path: '/api/lists/confirm', next: '/' },
  invite: { path: '/api/invitations/accept', next: '/me/workspaces', session: true },
  stop: { path: '/api/lists/stop', next: '/me/mails' },
};

class Confirm extends HTMLElement {
  connectedCallback() {
    this.find = (name) => this.querySelector(`[data-${name}]`);
    this.kind = new URLSearchParams(location.search).get('for') ?? '';
    this.secret = location.hash.slice(1);
    const door = doors[this.kind];
    if (!door || !this.secret) {
      this.over(t('confirm.nothing'));
      return;
    }
    say(this.find('heading'), t(`confirm.${this.kind}`));
    say(this.find('lede'), t(`confirm.${this.kind}.text`));
    say(this.find('do'), t(`confirm.${this.kind}.act`));
    this.find('password').hidden = this.kind !== 'reset';
    this.find('sign').hidden = !door.session || this.hasAttribute('data-session');
    this.find('act').hidden = false;
    onSubmit(this.querySelector('form'), ({ password }) => this.use(door, password));
  }

  async use(door, password) {
    try {
      const path = this.kind === 'stop' ? `${door.path}/${encodeURIComponent(this.secret)}` : door.path;
      const answer = await call('POST', path, this.kind === 'reset' ? { secret: this.secret, password } : { secret: this.secret });
      history.replaceState(null, '', location.pathname + location.search); // it is spent
      if (answer?.token) {
        location.assign('/');
        return;
      }
      // In another browser than the one that signed up the account is made, and signed into by hand.
      this.over(t(`confirm.${this.kind}.done`), this.kind === 'sign_up' ? '/signin' : door.next);
    } catch (problem) {
      if (problem.status !== 410) throw problem;
      this.over(problem.words);
    }
  }

  over(words, next = '/') {
    this.find('act').hidden = true;
    this.find('over').hidden = false;
    say(this.find('lede'), words);
    say(this.find('over-words'), t('confirm.next'));
    this.find('next').href = next;
    if (next !== '/') say(this.find('next'), t('confirm.go'));
    this.find('heading').focus();
  }
}

customElements.define('musa-confirm', Confirm);
