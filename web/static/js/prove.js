// Before what cannot be left to whoever finds an open browser, the person shows once more
// that it is them; then the act is repeated.

import { Problem, call } from './api.js';
import { h } from './dom.js';
import { clear, fault, onSubmit } from './form.js';
import * as passkey from './passkey.js';
import { t } from './words.js';

let dialog = null;
let done = null;

/** Does something that may ask who is there. One who breaks it off gets an empty problem. */
export async function proved(act) {
  try {
    return await act();
  } catch (problem) {
    if (problem.code !== 'prove_first') throw problem;
  }
  if (!(await prove())) throw new Problem(0, { code: 'broken_off' });
  return act();
}

async function prove() {
  dialog ??= ready();
  await ways();
  const form = dialog.querySelector('form');
  clear(form);
  form.reset();
  dialog.showModal();
  return new Promise((resolve) => {
    done = resolve;
  });
}

/** Offers the ways that this person has: of an account without a password none is asked. */
async function ways() {
  const find = (name) => dialog.querySelector(`[data-prove-${name}]`);
  const [{ logins }, { providers }] = await Promise.all([call('GET', '/api/me/logins'), call('GET', '/api/session/providers')]);
  const has = (kind) => logins.some((login) => login.kind === kind);
  const other = has('password') || has('passkey');
  const linked = providers.filter(({ name, fresh }) => (fresh || !other) && logins.some((login) => login.kind === 'provider' && login.name === name));
  find('password').hidden = !has('password');
  find('act').hidden = !has('password');
  find('passkey').hidden = !passkey.able || !has('passkey');
  find('providers').hidden = !linked.length;
  find('providers').replaceChildren(...linked.map(({ name, title }) => h('a', { class: 'press', href: `/api/session/provider/${name}?prove=1` }, t('part.prove.provider', { name: title ?? name }))));
}

function ready() {
  const found = document.querySelector('[data-prover]');
  const form = found.querySelector('form');
  const end = (ok) => {
    found.close();
    done(ok);
  };
  onSubmit(form, async ({ password }) => {
    await call('POST', '/api/me/prove', { password });
    end(true);
  });
  const key = found.querySelector('[data-prove-passkey]');
  key.addEventListener('click', async () => {
    try {
      await passkey.prove();
      end(true);
    } catch (problem) {
      fault(form, problem);
    }
  });
  found.querySelector('[data-prove-not]').addEventListener('click', () => end(false));
  found.addEventListener('cancel', () => done(false));
  return found;
}
