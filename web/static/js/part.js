// One part of a person's account: what all of them do.

import './frame.js';

import { accord } from './accord.js';
import { call } from './api.js';
import { h, say } from './dom.js';
import { t } from './words.js';

export class Part extends HTMLElement {
  async connectedCallback() {
    this.find = (name) => this.querySelector(`[data-${name}]`);
    this.form = (name) => this.querySelector(`form[data-form="${name}"]`);
    document.querySelector('.parts [aria-current]')?.scrollIntoView({ block: 'nearest', inline: 'center' });
    try {
      this.me = await call('GET', '/api/me');
      document.querySelector('[data-guest]').hidden = this.me.tier !== 'guest' || !this.members;
      accord(this.me);
      await this.begin();
    } catch (problem) {
      this.fail(problem);
    }
  }

  /** Words for what did not work; a session that has ended leaves nothing to show. */
  fail(problem) {
    if (problem.status === 401) {
      over(this, t('part.none'));
      return;
    }
    if (!problem.words) throw problem;
    this.say(problem.words);
  }

  /** Does something; what went wrong is said above the part. */
  async attempt(act) {
    try {
      return await act();
    } catch (problem) {
      this.fail(problem);
      return undefined;
    }
  }

  say(words) {
    const place = document.querySelector('[data-said]');
    place.hidden = false;
    say(place, words);
    place.scrollIntoView({ block: 'nearest' });
  }
}

/** A session that has ended: what stands here is nobody's any more, and the ways on are shown. */
export function over(part, words) {
  say(document.querySelector('[data-lede]'), words);
  part.hidden = true;
  document.querySelector('.parts').hidden = true;
  document.querySelector('[data-over]').hidden = false;
}

/** A button of words alone. */
export function act(words, f, kind = '') {
  return h('button', { type: 'button', class: `press ${kind}`, click: f }, words);
}

/** Has a button copy words; it says of these that they were not copied yet. */
export function copies(button, label, words) {
  say(button, label);
  button.onclick = () => copy(words, button);
}

/** Puts words where they can be pasted; a browser that refuses leaves them to be marked by hand. */
async function copy(words, button) {
  try {
    await navigator.clipboard.writeText(words);
    say(button, t('js.copied'));
  } catch {
    say(button, t('js.copied.not'));
  }
}
