// Keys of the API: what they may do, until when; each shown once.

import { call } from './api.js';
import { glyph, h, say } from './dom.js';
import { onSubmit } from './form.js';
import { at, listed, named, on } from './named.js';
import { act, copies } from './part.js';
import { proved } from './prove.js';
import { t } from './words.js';

const scopes = ['read', 'create', 'erase', 'account', 'support'];

/** Fills the list of keys of a part, and the form for a new one. */
export async function keys(part) {
  part.find('scopes').replaceChildren(...scopes.map((scope) => h('label', { class: 'switch' },
    h('input', { type: 'checkbox', name: `scope-${scope}`, role: 'switch' }), h('span', { class: 'slot', 'aria-hidden': 'true' }),
    h('span', {}, h('strong', {}, named('scope', scope)), h('span', { class: 'quiet' }, named('scope.text', scope))))));
  onSubmit(part.form('key'), async (given, form) => {
    const wanted = scopes.filter((scope) => given[`scope-${scope}`]);
    const key = await proved(() => call('POST', '/api/me/keys', { name: given.name, scopes: wanted, days: Number(given.days) }));
    form.reset();
    say(part.find('key-secret'), key.secret);
    copies(part.find('key-copy'), t('keys.copy'), key.secret);
    part.find('key-shown').hidden = false;
    part.find('key-shown').focus();
    await load(part);
  });
  part.find('key-done').addEventListener('click', () => {
    part.find('key-shown').hidden = true;
    say(part.find('key-secret'), '');
  });
  await load(part);
}

async function load(part) {
  const list = await call('GET', '/api/me/keys');
  part.find('keys').replaceChildren(...list.map((key) => line(part, key)));
}

function line(part, { id, name, scopes: may, created, expires, used }) {
  const end = act(t('part.remove'), () => part.attempt(async () => {
    await call('DELETE', `/api/me/keys/${id}`);
    await load(part);
    part.say(t('keys.ended'));
  }), 'last');
  end.setAttribute('aria-label', t('part.remove.of', { name }));
  return h('li', {}, glyph('key'), h('div', { class: 'entry' },
    h('p', {}, h('strong', {}, name), h('span', { class: 'quiet' }, listed(may.map((scope) => named('scope', scope)))),
      h('span', { class: 'quiet' }, t('logins.since', { time: at(created) }), ' ', t('keys.until', { time: on(expires) }), ' ', used ? t('logins.used', { time: at(used) }) : t('logins.unused'))), end));
}
