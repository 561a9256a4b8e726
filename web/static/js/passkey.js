// Passkeys: the browser and the person's device make and use them; no secret comes here.

import { Problem, call } from './api.js';
import { t } from './words.js';

/** This browser can make and use passkeys, and takes their options as JSON. */
export const able = 'PublicKeyCredential' in window && 'parseCreationOptionsFromJSON' in PublicKeyCredential && isSecureContext;

/** Makes a passkey: of the account that is there, or, for a guest, with what an account asks. */
export async function add(asked = {}) {
  const begun = await call('POST', '/api/passkeys/begin', {});
  const publicKey = PublicKeyCredential.parseCreationOptionsFromJSON(begun.options.publicKey ?? begun.options);
  const credential = await ask(() => navigator.credentials.create({ publicKey }));
  return call('POST', '/api/passkeys/finish', { ...asked, flow: begun.flow, credential: credential.toJSON() });
}

/** Signs in with a passkey that the person chooses. */
export function enter() {
  return use('/api/session/passkey/begin', '/api/session/passkey/finish');
}

export function prove() {
  return use('/api/me/prove/passkey/begin', '/api/me/prove/passkey/finish');
}

async function use(begin, finish) {
  const begun = await call('POST', begin, {});
  const publicKey = PublicKeyCredential.parseRequestOptionsFromJSON(begun.options.publicKey ?? begun.options);
  const credential = await ask(() => navigator.credentials.get({ publicKey }));
  return call('POST', finish, { flow: begun.flow, credential: credential.toJSON() });
}

/** The browser's own refusals, in words. */
async function ask(f) {
  try {
    return await f();
  } catch (refusal) {
    if (refusal.name === 'InvalidStateError') throw new Problem(0, { detail: t('js.passkey.there') });
    throw new Problem(0, { detail: t('js.passkey.not') });
  }
}
