// <musa-privacy>: how the picture on the stage may be used and how long it stays. Each answer
// binds the moment it is given; what is not said here follows what was said for everything.

import { call } from './api.js';
import { clockTime, dayOf } from './clock.js';
import { h, say } from './dom.js';
import { named, spanWords } from './named.js';
import { t } from './words.js';

class Privacy extends HTMLElement {
  /** Follows the picture on the stage. Nothing is asked of the server before somebody looks. */
  show(asset) {
    const id = asset?.state === 'active' ? asset.id : '';
    this.hidden = !id;
    if (id === this.of) return;
    this.of = id;
    this.room = h('div', { class: 'acts' });
    this.said = h('p', { class: 'quiet', role: 'status' });
    this.fold = h('details', { class: 'more', toggle: () => this.fold.open && this.load() }, h('summary', {}, t('js.privacy')), this.room, this.said);
    this.replaceChildren(this.fold);
  }

  async load() {
    await this.attempt('GET');
  }

  /** Says something of the picture, and shows what the server makes of it. */
  async attempt(method, words) {
    const id = this.of;
    try {
      const now = await call(method, `/api/assets/${id}/privacy`, words);
      if (id !== this.of) return;
      const focused = document.activeElement?.getAttribute?.('data-key');
      this.room.replaceChildren(...this.build(now));
      this.room.querySelector(`[data-key="${focused}"]`)?.focus();
      say(this.said, words ? t('js.privacy.said') : '');
      if (words) this.dispatchEvent(new CustomEvent('musa-governed', { bubbles: true }));
    } catch (problem) {
      if (!problem.words) throw problem;
      say(this.said, problem.words);
      if (words) this.load();
    }
  }

  build({ consents, commercial, in_training: trained, keep, keeps }) {
    const use = consents.length && h('label', { class: 'switch' },
      h('input', { type: 'checkbox', role: 'switch', 'data-key': 'commercial', checked: commercial, change: (event) => this.attempt('PUT', { commercial: event.target.checked }) }),
      h('span', { class: 'slot', 'aria-hidden': 'true' }), h('span', {}, h('strong', {}, t('js.privacy.commercial')), h('span', { class: 'quiet' }, t('js.privacy.commercial.text'))));
    return [
      h('p', {}, t('js.privacy.private')),
      ...consents.filter(({ name }) => name !== 'training_commercial' || commercial).map((one) => this.consent(one)), use,
      consents.length && h('p', { class: 'quiet' }, t(trained ? 'js.privacy.trained' : 'js.privacy.untrained')),
      keeps.length && this.keeps(keep, keeps),
      h('p', {}, h('a', { href: '/me/privacy' }, t('js.privacy.all'))),
    ].filter(Boolean);
  }

  /** One consent: what was said for this picture, or else what was said for everything. */
  consent({ name, answer, general }) {
    const radio = (value, words) => h('label', {}, h('input', { type: 'radio', name: `picture-${name}`, value, 'data-key': `${name}-${value}`,
      checked: (answer === 'none' ? general : answer) === value, change: () => this.attempt('PUT', { [name]: value }) }), h('span', {}, words));
    return h('fieldset', { class: 'field' }, h('legend', {}, named('consent', name)),
      h('div', { class: 'segments' }, radio('yes', t('js.privacy.yes')), radio('no', t('js.privacy.no'))),
      answer === 'none' && h('p', { class: 'quiet' }, t(general === 'none' ? 'js.privacy.unsaid' : 'js.privacy.general')));
  }

  keeps(chosen, keeps) {
    const option = (value, words) => h('option', { value, selected: value === chosen }, words);
    return h('div', { class: 'field' }, h('label', { for: 'picture-keep' }, t('js.privacy.keep')),
      h('select', { id: 'picture-keep', 'data-key': 'keep', change: (event) => this.attempt('PUT', { keep: event.target.value }) },
        option('default', t('js.privacy.keep.default')),
        keeps.map(({ keep, ends }) => option(keep, ends ? t('js.privacy.keep.one', { span: spanWords(keep), time: `${dayOf(new Date(ends))}, ${clockTime(new Date(ends))}` }) : spanWords(keep)))));
  }
}

customElements.define('musa-privacy', Privacy);
