// <musa-sell>: enters a person's no to any sale of what is theirs.

import './frame.js';

import { call, resume, session } from './api.js';
import { say } from './dom.js';
import { onSubmit } from './form.js';
import { t } from './words.js';

class Sell extends HTMLElement {
  connectedCallback() {
    if (this.hasAttribute('data-session')) resume();
    onSubmit(this.querySelector('form'), async () => {
      await session();
      const made = await call('POST', '/api/rights', { right: 'opt_out_sale' });
      say(this.querySelector('[data-said]'), t('sell.done', { id: made.id }));
    });
  }
}

customElements.define('musa-sell', Sell);
