// <musa-notices>: lines above the page, for what concerns all of it. They stay until
// their cause is gone or the person closes them.

import { barePress, glyph, h } from './dom.js';
import { t } from './words.js';

class Notices extends HTMLElement {
  lines = new Map();

  connectedCallback() {
    addEventListener('offline', () => this.show('offline', { icon: 'warn', words: t('js.offline') }));
    addEventListener('online', () => this.drop('offline'));
    if (!navigator.onLine) this.show('offline', { icon: 'warn', words: t('js.offline') });
  }

  /** Shows a line under a name, replacing the one of that name. */
  show(name, { icon, words, acts = [], onClose = null }) {
    const line = h('div', { class: 'notice' }, h('p', {}, glyph(icon), h('span', {}, words)), ...acts);
    if (onClose) {
      line.append(barePress('cross', t('js.close'), () => {
        this.drop(name);
        onClose();
      }));
    }
    this.lines.get(name)?.remove();
    this.lines.set(name, line);
    this.append(line);
  }

  drop(name) {
    this.lines.get(name)?.remove();
    this.lines.delete(name);
  }

  has(name) {
    return this.lines.has(name);
  }
}

customElements.define('musa-notices', Notices);
