// <musa-support>: to ask and to be answered, with an account or without. Who has none reads
// the answer with a key that stands behind the #, in the address alone.

import './frame.js';

import { call, resume } from './api.js';
import { glyph, h, say } from './dom.js';
import { filled, onSubmit } from './form.js';
import { at, named } from './named.js';
import { t } from './words.js';

class Support extends HTMLElement {
  async connectedCallback() {
    this.find = (name) => this.querySelector(`[data-${name}]`);
    this.form = (name) => this.querySelector(`form[data-form="${name}"]`);
    this.known = this.hasAttribute('data-session');
    if (this.known) resume();
    onSubmit(this.form('write'), (given) => this.write(given));
    onSubmit(this.form('answer'), (given) => this.answer(given));
    this.find('erase').addEventListener('click', () => this.attempt(() => this.erase()));
    addEventListener('hashchange', () => this.attempt(() => this.turn()));
    await this.attempt(async () => {
      if (this.known) await this.reachable();
      await this.arrive();
      await this.turn();
      if (this.known) await this.mine();
    });
  }

  /** A guest has no address that an answer could be mailed to: they may give one, as strangers do. */
  async reachable() {
    const { tier } = await call('GET', '/api/me');
    this.find('email').hidden = tier !== 'guest';
  }

  /**
   * From a mail's link. To who has an account it names the thread, which they read once they are
   * signed in; of others its secret is used once, for a key that opens this thread alone.
   */
  async arrive() {
    const secret = location.hash.slice(1);
    const asked = new URLSearchParams(location.search).get('thread');
    if (!asked) return;
    if (!secret) {
      if (this.known) history.replaceState(null, '', `/support#${asked}`);
      else this.say(t('support.signin'));
      return;
    }
    const { token, thread } = await call('POST', '/api/support/open', { secret });
    history.replaceState(null, '', `/support#${thread}.${token}`);
  }

  async turn() {
    const [id, ...key] = location.hash.slice(1).split('.');
    this.id = id;
    this.headers = key.length ? { Authorization: `Bearer ${key.join('.')}` } : {};
    this.find('thread').hidden = !id;
    this.find('write').hidden = Boolean(id);
    this.find('mine').hidden = Boolean(id) || !this.listed;
    this.find('keep').hidden = !key.length;
    if (!id) return;
    this.show(await this.ask('GET'));
    this.find('thread').focus();
  }

  ask(method, rest = '', body = undefined) {
    return call(method, `/api/support/${this.id}${rest}`, body, this.headers);
  }

  async mine() {
    const { threads } = await call('GET', '/api/support');
    this.listed = threads.length > 0;
    this.find('mine').hidden = !this.listed || Boolean(this.id);
    this.find('threads').replaceChildren(...threads.map(({ id, kind, state, updated, unread }) => h('li', {}, glyph('bell'), h('div', { class: 'entry' },
      h('p', {}, h('a', { href: `#${id}` }, t(`thread.kind.${kind}`)), h('span', { class: 'quiet' }, at(updated))), h('span', { class: 'state' }, unread === 'person' ? t('support.unread') : t(`thread.state.${state}`))))));
  }

  show(thread) {
    say(this.find('subject'), t(`thread.kind.${thread.kind}`));
    say(this.find('state'), t(`thread.state.${thread.state}`));
    say(this.find('ends'), thread.ends ? t('support.ends', { time: at(thread.ends) }) : '');
    this.find('messages').replaceChildren(...(thread.messages ?? []).map(({ from, words, entered, at: time }) => h('li', { 'data-from': from },
      h('p', { class: 'quiet' }, t(from === 'person' ? 'support.you' : 'support.us'), ', ', h('time', { datetime: time }, at(time))), h('p', { class: 'said' }, entered ? t('support.entered', { right: named('right', entered), id: thread.case }) : words))));
  }

  async write(given) {
    const made = await call('POST', '/api/support', filled(given));
    this.form('write').reset();
    this.say(given.email ? t('support.sent.mail') : t('support.sent'));
    if (made.token) location.hash = `${made.id}.${made.token}`;
    else if (this.known) location.hash = made.id;
  }

  async answer({ words }) {
    await this.ask('POST', '/messages', { words });
    this.form('answer').reset();
    this.show(await this.ask('GET'));
    this.say(t('support.sent'));
  }

  async erase() {
    await this.ask('DELETE');
    location.hash = '';
    this.say(t('support.erased'));
    if (this.known) await this.mine();
  }

  async attempt(act) {
    try {
      await act();
    } catch (problem) {
      if (!problem.words) throw problem;
      this.say(problem.words);
    }
  }

  say(words) {
    this.find('said').hidden = false;
    say(this.find('said'), words);
  }
}

customElements.define('musa-support', Support);
