// Where a person is signed in: each device in the words that its browser says of itself.

import { call, leave } from './api.js';
import { glyph, h } from './dom.js';
import { at } from './named.js';
import { act } from './part.js';
import { t } from './words.js';

/** Fills the list of sessions of a part, and its acts. */
export async function sessions(part) {
  part.find('sign-out').addEventListener('click', () => part.attempt(async () => {
    await leave();
    location.assign('/');
  }));
  part.find('end-others').addEventListener('click', () => part.attempt(async () => {
    await call('DELETE', '/api/me/sessions');
    await load(part);
    part.say(t('sessions.ended'));
  }));
  await load(part);
}

async function load(part) {
  const list = (await call('GET', '/api/me/sessions')).sessions;
  part.find('sessions').replaceChildren(...list.map((session) => line(part, session)));
  part.find('end-others').hidden = list.length < 2;
}

function line(part, { id, current, created, last_seen: seen, browser, os, address }) {
  const name = [browser, os].filter(Boolean).join(', ') || t('sessions.unknown');
  const end = act(t('sessions.end'), () => part.attempt(async () => {
    await call('DELETE', `/api/me/sessions/${id}`);
    await load(part);
    part.say(t('sessions.ended.one'));
  }));
  end.setAttribute('aria-label', t('sessions.end.of', { name }));
  return h('li', {}, glyph('house'), h('div', { class: 'entry' },
    h('p', {}, h('strong', {}, name), current && h('span', { class: 'state force' }, t('sessions.this')),
      h('span', { class: 'quiet' }, address && t('sessions.from', { address }), ' ', t('sessions.since', { time: at(created) }), ' ', seen && t('sessions.seen', { time: at(seen) }))),
    !current && end));
}
