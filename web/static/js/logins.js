// <musa-logins>: the ways in: password, passkeys, providers, the second factor; and what came
// in by them: sessions, keys of the API.

import { call } from './api.js';
import { glyph, h, say } from './dom.js';
import { clear, onSubmit } from './form.js';
import { keys } from './keys.js';
import { at } from './named.js';
import { Part, act, copies } from './part.js';
import * as passkey from './passkey.js';
import { proved } from './prove.js';
import { qr } from './qr.js';
import { sessions } from './sessions.js';
import { number, t } from './words.js';

class Logins extends Part {
  members = true;

  async begin() {
    if (this.me.tier === 'guest') {
      for (const part of this.querySelectorAll('.sheet')) part.hidden = part.id !== 'sessions';
      await sessions(this);
      return;
    }
    onSubmit(this.form('password'), async (given, form) => {
      await proved(() => call('PUT', '/api/me/password', given));
      form.reset();
      this.say(t('logins.password.changed'));
      await this.load();
    });
    onSubmit(this.form('passkey'), async ({ name }, form) => {
      await proved(() => passkey.add(name ? { name } : {}));
      form.reset();
      await this.load();
      this.say(t('logins.passkeys.added'));
    });
    this.form('passkey').hidden = !passkey.able;
    this.find('no-passkeys').hidden = passkey.able;
    this.factor();
    if (location.hash === '#proved') this.say(t('logins.proved')); // back from a provider
    await Promise.all([this.load(), sessions(this), keys(this), this.providers()]);
  }

  async load() {
    const { logins, recovery } = await call('GET', '/api/me/logins');
    const of = (kind) => logins.filter((login) => login.kind === kind);
    this.find('no-password').hidden = of('password').length > 0;
    this.find('passkeys').replaceChildren(...of('passkey').map((login) => this.line(login, login.name || t('logins.passkeys.unnamed'))));
    this.linked = of('provider');
    this.find('linked').replaceChildren(...this.linked.map((login) => this.line(login, login.name)));
    if (this.linked.length) this.find('providers-part').hidden = false;
    const [totp] = of('totp');
    this.find('factor-begin').hidden = Boolean(totp);
    this.find('factor-end').hidden = !totp;
    say(this.find('factor-state'), totp ? `${t('logins.factor.on', { time: at(totp.created) })} ${t('logins.recovery.left', { n: recovery, count: number(recovery) })}` : t('logins.factor.off'));
    this.find('codes-new').hidden = !totp;
  }

  line(login, name) {
    const end = act(t('part.remove'), () => this.attempt(async () => {
      await proved(() => call('DELETE', `/api/me/logins/${login.id}`));
      await this.load();
      this.say(t('logins.removed'));
    }), 'last');
    end.setAttribute('aria-label', t('part.remove.of', { name }));
    return h('li', {}, glyph('key'), h('div', { class: 'entry' },
      h('p', {}, h('strong', {}, name), h('span', { class: 'quiet' }, t('logins.since', { time: at(login.created) }), ' ', login.used ? t('logins.used', { time: at(login.used) }) : t('logins.unused'))), end));
  }

  async providers() {
    const { providers } = await call('GET', '/api/session/providers').catch(() => ({ providers: [] }));
    if (!providers.length) return;
    this.find('providers-part').hidden = false;
    this.find('providers').replaceChildren(...providers.map(({ name, title }) => h('a', { class: 'press', href: `/api/session/provider/${name}?link=1` }, t('logins.providers.link', { name: title ?? name }))));
  }

  /** Recovery codes, shown this once. */
  async codes(codes) {
    this.find('codes').replaceChildren(...codes.map((one) => h('li', {}, h('code', {}, one))));
    copies(this.find('codes-copy'), t('logins.recovery.copy'), codes.join('\n'));
    this.find('recovery').hidden = false; // first of all: there is no second time
    this.find('recovery').focus();
    await this.load();
  }

  /** The second factor: set up, confirmed by a first code, or taken away. */
  factor() {
    const setup = this.find('factor-setup');
    const form = this.form('factor');
    this.find('factor-begin').addEventListener('click', () => this.attempt(async () => {
      const { secret, uri } = await proved(() => call('POST', '/api/me/totp', {}));
      this.find('qr').replaceChildren(qr(uri, t('logins.factor.alt')));
      say(this.find('secret'), secret.replace(/(.{4})(?=.)/g, '$1 '));
      setup.hidden = false;
      clear(form);
      form.elements.code.focus();
    }));
    this.find('factor-cancel').addEventListener('click', () => {
      setup.hidden = true;
      this.find('factor-begin').focus();
    });
    onSubmit(form, async ({ code }) => {
      const { codes } = await call('POST', '/api/me/totp/confirm', { code });
      setup.hidden = true;
      form.reset();
      await this.codes(codes);
    });
    this.find('codes-new').addEventListener('click', () => this.attempt(async () => {
      const { codes } = await proved(() => call('POST', '/api/me/totp/codes', {}));
      await this.codes(codes);
    }));
    this.find('codes-done').addEventListener('click', () => {
      this.find('recovery').hidden = true;
      this.find('codes').replaceChildren();
      this.say(t('logins.factor.done'));
    });
    this.find('factor-end').addEventListener('click', () => this.attempt(async () => {
      await proved(() => call('DELETE', '/api/me/totp'));
      await this.load();
      this.say(t('logins.factor.ended'));
    }));
  }
}

customElements.define('musa-logins', Logins);
