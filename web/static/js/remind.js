// Reminders before results go: a line on the page always; a notification of the browser
// only after the person asked for one, and only while the page stays open.

import { clockTime } from './clock.js';
import { t } from './words.js';

/** When to remind: an hour before the end, or a quarter of a short life. */
export function remindAt({ created, ends }) {
  const end = Date.parse(ends);
  const life = end - Date.parse(created);
  return end - Math.min(3_600_000, life / 4);
}

export function canRemind() {
  return 'Notification' in window && isSecureContext && Notification.permission !== 'denied';
}

/** Asks for permission and sets the reminder; returns what came of it, in words. */
export async function remind(item) {
  const permission = await Notification.requestPermission();
  if (permission !== 'granted') return t('js.remind.refused');
  const at = remindAt(item.output);
  const wait = Math.max(0, at - Date.now());
  clearTimeout(item.reminder);
  // The name of the picture stays out: a notification may show on a locked screen.
  item.reminder = setTimeout(() => {
    if (item.state === 'done') new Notification(t('js.remind.title'), { body: t('js.remind.body', { time: clockTime(new Date(item.output.ends)) }) });
  }, Math.min(wait, 2 ** 31 - 1));
  return t('js.remind.set', { time: clockTime(new Date(at)) });
}
