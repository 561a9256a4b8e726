// <musa-receipt>: reads a receipt, with its owner's session or with the key that its
// holder's link carries behind the #, which browsers send to no server by themselves.

import './frame.js';

import { call } from './api.js';
import { exact } from './clock.js';
import { h, say } from './dom.js';
import { at, listed, named } from './named.js';
import { known, number, t } from './words.js';

const moments = new Set(['ordered', 'erased', 'purged']); // Unix milliseconds; 0 for none

class Receipt extends HTMLElement {
  connectedCallback() {
    this.find = (name) => this.querySelector(`[data-${name}]`);
    this.read();
  }

  async read() {
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
    const { capability, logged, expected, ...proof } = receipt;
    const place = logged ? { index: receipt.index, size: receipt.size } : {};
    const rows = Object.entries({ id: receipt.id, ...receipt.statement, ...place });
    this.find('facts').replaceChildren(...rows.filter(([name, value]) => value !== '' && !(moments.has(name) && !value))
      .map(([name, value]) => h('div', {}, h('dt', {}, known(`js.receipt.${name}`) ? t(`js.receipt.${name}`) : name), h('dd', {}, this.value(name, value)))));
    this.find('facts').hidden = false;
    if (capability) history.replaceState(null, '', `#${capability}`);
    if (expected) {
      const time = Date.parse(expected);
      const soon = time <= Date.now();
      say(this.find('lede'), soon ? t('js.receipt.pending.soon') : t('js.receipt.pending', { time: at(time) }));
      // What lies further ahead than a timer can count is looked at when somebody comes back.
      if (time - Date.now() < 2 ** 31) setTimeout(() => this.read(), Math.max(2000, time - Date.now()));
      return;
    }
    if (!logged) {
      say(this.find('lede'), t('js.receipt.unlogged'));
      setTimeout(() => this.read(), 2000);
      return;
    }
    const file = new Blob([JSON.stringify(proof, null, 2)], { type: 'application/json' });
    const link = this.find('file');
    link.href = URL.createObjectURL(file);
    link.download = `${id}.json`;
    this.find('actions').hidden = false;
    this.find('check').hidden = false;
  }

  value(name, value) {
    if (name === 'what') return known(`js.receipt.what.${value}`) ? t(`js.receipt.what.${value}`) : value;
    if (name === 'category') return named('category', value);
    if (name === 'counts') return listed(value.map(({ category, items }) => `${named('category', category)}: ${number(items)}`));
    if (name === 'kept') return listed(value.map(({ category, until }) => t('js.receipt.kept.until', { what: named('category', category), time: at(until) })));
    if (!moments.has(name)) return String(value);
    const date = new Date(value);
    return h('time', { datetime: date.toISOString() }, exact(date));
  }
}

customElements.define('musa-receipt', Receipt);
