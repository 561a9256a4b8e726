// <musa-ring born ends>: a life as a ring that shrinks. It is silent; words stand beside it.

import { svg } from './dom.js';
import { onTick } from './clock.js';

class Ring extends HTMLElement {
  static observedAttributes = ['born', 'ends', 'value'];

  connectedCallback() {
    this.setAttribute('aria-hidden', 'true');
    if (!this.arc) {
      const circle = { cx: 10, cy: 10, r: 8.5, pathLength: 100 };
      this.arc = svg('circle', circle);
      this.append(svg('svg', { viewBox: '0 0 20 20' }, svg('circle', circle), this.arc));
    }
    this.draw(Date.now());
    if (this.hasAttribute('ends')) this.stop = onTick((now) => this.draw(now));
  }

  disconnectedCallback() {
    this.stop?.();
  }

  attributeChangedCallback() {
    if (!this.isConnected || !this.arc) return;
    this.stop?.();
    if (this.hasAttribute('ends')) this.stop = onTick((now) => this.draw(now));
    this.draw(Date.now());
  }

  draw(now) {
    let share = Number(this.getAttribute('value') ?? 0);
    const ends = Date.parse(this.getAttribute('ends') ?? '');
    if (!Number.isNaN(ends)) {
      const born = Date.parse(this.getAttribute('born') ?? '');
      share = Number.isNaN(born) || ends <= born ? 0 : (ends - now) / (ends - born);
    }
    share = Math.min(1, Math.max(0, share));
    this.arc.style.strokeDashoffset = String(100 - 100 * share);
    this.arc.style.visibility = share > 0 ? 'visible' : 'hidden';
  }
}

customElements.define('musa-ring', Ring);
