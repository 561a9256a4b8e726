// <musa-news>: what the service has to say, for everybody, and what somebody asked to see.

import './frame.js';

import { call } from './api.js';
import { h, say } from './dom.js';
import { at, named } from './named.js';
import { lang, t } from './words.js';

class News extends HTMLElement {
  async connectedCallback() {
    this.find = (name) => this.querySelector(`[data-${name}]`);
    try {
      const { news } = await call('GET', `/api/news?language=${lang}`);
      this.find('none').hidden = news.length > 0;
      this.find('news').replaceChildren(...news.map((one) => this.line(one)));
    } catch (problem) {
      if (!problem.words) throw problem;
      this.find('said').hidden = false;
      say(this.find('said'), problem.words);
    }
  }

  line({ id, kind, at: time, subject, text }) {
    const lines = text.split('\n').map((line) => line.trim()).filter(Boolean);
    return h('article', { class: 'sheet', 'aria-labelledby': id },
      h('header', {}, h('h2', { id }, subject), h('p', { class: 'quiet' }, named('mails.kind', kind), ', ', h('time', { datetime: time }, at(time)))),
      lines.map((line) => h('p', {}, line)),
      kind === 'survey' && h('p', {}, h('a', { class: 'press', href: '/surveys' }, t('surveys.open'))));
  }
}

customElements.define('musa-news', News);
