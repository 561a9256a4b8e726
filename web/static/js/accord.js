// What stands above the pages of somebody who is known: a change of the policy that takes more
// from people, and an account that is set aside.

import { call } from './api.js';
import { h } from './dom.js';
import { at } from './named.js';
import { t } from './words.js';

/** Looks once per page. A no records nothing but leads out: with everything, or by erasing. */
export async function accord(me) {
  const place = document.querySelector('musa-notices');
  if (me?.suspended) {
    place.show('suspended', { icon: 'warn', words: t('js.suspended', { time: at(me.suspended.due) }),
      acts: [h('a', { class: 'press', href: '/support' }, t('js.suspended.write')), h('a', { class: 'press', href: '/me/data' }, t('js.suspended.data'))] });
  }
  if (me?.restricted) restricted(place, me.restricted);
  const state = await call('GET', '/api/me/acceptance').catch(() => null);
  const change = state?.change;
  const asked = state?.accept === 'by_click' && !state.policy.at;
  if (!change && !asked) return;
  const say = async (answer) => {
    try {
      await call('POST', '/api/me/acceptance', { answer });
    } catch (problem) {
      place.show('unsaid', { icon: 'warn', words: problem.words, onClose: () => {} });
      return;
    }
    place.drop('unsaid');
    if (answer === 'yes') place.drop('policy');
    else place.show('policy', { icon: 'bell', words: t('js.accord.leave'), acts: [
      h('a', { class: 'press', href: '/me/data#take' }, t('js.accord.export')), h('a', { class: 'press', href: '/me#close' }, t('js.accord.close')), h('a', { class: 'press', href: '/me/privacy' }, t('js.accord.choices'))] });
  };
  const link = change && h('a', { class: 'press', href: `/privacy/changes?${new URLSearchParams({ from: change.from, to: change.to })}` }, t('js.accord.differs'));
  const button = (answer, words) => h('button', { type: 'button', class: 'press', click: () => say(answer) }, words);
  place.show('policy', { icon: 'bell', words: change ? t(change.pending ? 'js.accord.pending' : 'js.accord.changed', { time: at(change.effective) }) : t('js.accord.first'),
    acts: [link, !change?.pending && button('yes', t('js.accord.yes')), button('no', t('js.accord.no'))].filter(Boolean) });
}

/** The person had the use of their data restricted: what that freezes, since when, and the way out. */
function restricted(place, { since, requests }) {
  const lift = async () => {
    try {
      for (const id of requests) await call('DELETE', `/api/rights/${id}`);
      location.reload(); // what was frozen is there again
    } catch (problem) {
      place.show('lift', { icon: 'warn', words: problem.words });
    }
  };
  place.show('restricted', { icon: 'warn', words: t('js.restricted', { time: at(since) }),
    acts: [h('button', { type: 'button', class: 'press', click: lift }, t('js.restricted.lift')), h('a', { class: 'press', href: '/me/data#requests' }, t('js.restricted.data'))] });
}
