// <musa-receipt>: reads a receipt, with its owner's session or with the key that its
// holder's link carries behind the #, which browsers send to no server by themselves.

import './notices.js';
import './theme.js';

import { call } from './api.js';
import { exact } from './clock.js';
import { h, say } from './dom.js';
import { known, t } from './words.js';

class Receipt extends HTMLElement {
  async connectedCallback() {
    this.find = (name) => this.querySelector(`[data-${name}]`);
    const id = this.dataset.receipt;
    const key = location.hash.slice(1);
    try {
      this.show(id, await call('GET', `/api/receipts/${id}${key && `?key=${encodeURIComponent(key)}`}`));
    } catch (problem) {
      say(this.find('lede'), problem.status === 404 ? t('js.receipt.unknown') : problem.words);
    }
  }

  show(id, receipt) {
    say(this.find('lede'), t('js.receipt.lede'));
    const rows = Object.entries({ id: receipt.id, ...receipt.statement, index: receipt.index, size: receipt.size });
    this.find('facts').append(...rows.filter(([, value]) => value !== '' && value !== null && value !== undefined)
      .map(([name, value]) => h('div', {}, h('dt', {}, known(`js.receipt.${name}`) ? t(`js.receipt.${name}`) : name), h('dd', {}, this.value(value)))));
    this.find('facts').hidden = false;
    const { capability, logged, ...proof } = receipt;
    if (capability) history.replaceState(null, '', `#${capability}`);
    if (!logged) say(this.find('lede'), t('js.receipt.unlogged'));
    const file = new Blob([JSON.stringify(proof, null, 2)], { type: 'application/json' });
    const link = this.find('file');
    link.href = URL.createObjectURL(file);
    link.download = `${id}.json`;
    this.find('actions').hidden = false;
    this.find('check').hidden = false;
  }

  value(value) {
    const date = typeof value === 'string' && /^\d{4}-\d\d-\d\dT/.test(value) ? new Date(value) : null;
    if (date) return h('time', { datetime: value }, exact(date));
    return typeof value === 'object' ? JSON.stringify(value) : String(value);
  }
}

customElements.define('musa-receipt', Receipt);
