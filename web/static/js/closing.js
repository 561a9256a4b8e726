// A closed account: until when it can be taken back, and the receipt that outlives it.

import { call } from './api.js';
import { say } from './dom.js';
import { at } from './named.js';
import { t } from './words.js';

/** Shows how a closing stands. `onOpen` is called once it was taken back. */
export function showClosing(find, closing, onOpen) {
  const over = !closing.undo_until || Date.parse(closing.undo_until) <= Date.now();
  const said = [over ? t('me.closed.over') : t('me.closed.until', { time: at(closing.undo_until) })];
  if (closing.erased_at && closing.erased_at !== closing.undo_until) said.push(t('me.closed.rest', { time: at(closing.erased_at) }));
  say(find('closing-words'), said.join(' '));
  const address = `/receipts/${closing.receipt}#${closing.capability}`;
  find('receipt').href = address;
  find('copy').onclick = () => copy(new URL(address, location.href).href, find('closing-said'));
  find('reopen').hidden = over;
  find('reopen').onclick = () => reopen(find, onOpen);
  find('closing').hidden = false;
  // Nothing in this browser leads to the account any more: its cookie opens nothing.
  if (over) call('DELETE', '/api/session').catch(() => {});
}

async function copy(link, place) {
  try {
    await navigator.clipboard.writeText(link);
    say(place, t('me.closed.copied'));
  } catch {
    say(place, link); // a browser that does not let pages write there shows it, to be copied by hand
  }
}

async function reopen(find, onOpen) {
  try {
    await call('DELETE', '/api/me/erasure');
    find('closing').hidden = true;
    onOpen();
  } catch (problem) {
    say(find('closing-said'), problem.words);
  }
}
