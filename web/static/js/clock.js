// Time in words, and the one ticker that all rings share.

import { locale, t } from './words.js';

const listeners = new Set();
let timer = 0;

/** Calls back every second while the page is visible; returns the way to stop. */
export function onTick(listener) {
  listeners.add(listener);
  start();
  return () => listeners.delete(listener);
}

function start() {
  if (timer || document.hidden) return;
  timer = setInterval(() => {
    const now = Date.now();
    for (const listener of listeners) listener(now);
  }, 1000);
}

document.addEventListener('visibilitychange', () => {
  clearInterval(timer);
  timer = 0;
  start();
  const now = Date.now();
  if (!document.hidden) for (const listener of listeners) listener(now);
});

const twelve = new Intl.DateTimeFormat(locale, { hour: 'numeric' }).resolvedOptions().hour12;
const hour = new Intl.DateTimeFormat(locale, { hour: twelve ? 'numeric' : '2-digit', minute: '2-digit' });
const day = new Intl.DateTimeFormat(locale, { day: 'numeric', month: 'long' });
const full = new Intl.DateTimeFormat(locale, { dateStyle: 'full', timeStyle: 'medium' });

export function clockTime(date) {
  return hour.format(date);
}

export function dayOf(date) {
  return day.format(date);
}

export function exact(date) {
  return full.format(date);
}

function daysApart(a, b) {
  const midnight = (d) => new Date(d.getFullYear(), d.getMonth(), d.getDate()).getTime();
  return Math.round((midnight(a) - midnight(b)) / 86400000);
}

/** "Gone tomorrow, 14:05": the exact moment, and what is left where it is short. */
export function goneWords(ends, now = Date.now()) {
  const left = ends.getTime() - now;
  if (left <= 0) return t('js.time.now');
  if (left < 60_000) return t('js.time.seconds', { n: Math.ceil(left / 1000) });
  const time = clockTime(ends);
  if (left < 3_600_000) return t('js.time.minutes', { n: Math.ceil(left / 60_000), time });
  return t(`js.time.${dayWord(ends, now)}`, { time, day: day.format(ends) });
}

/** "Went today, 14:05" */
export function wentWords(ended, now = Date.now()) {
  return t(`js.went.${dayWord(ended, now)}`, { time: clockTime(ended), day: day.format(ended) });
}

function dayWord(date, now) {
  return { '-1': 'yesterday', 0: 'today', 1: 'tomorrow' }[daysApart(date, new Date(now))] ?? 'day';
}

/** "about 12 s", "about 3 min" */
export function about(seconds) {
  if (seconds < 90) return t('js.about.seconds', { n: Math.max(1, Math.round(seconds)) });
  return t('js.about.minutes', { n: Math.round(seconds / 60) });
}

/** "23 hours 12 minutes", for what is left of a life. */
export function leftWords(ms) {
  const minutes = Math.max(0, Math.floor(ms / 60_000));
  if (minutes < 1) return t('js.left.seconds', { n: Math.max(0, Math.ceil(ms / 1000)) });
  if (minutes < 60) return t('js.left.minutes', { n: minutes });
  if (minutes < 48 * 60) return t('js.left.hours', { n: Math.floor(minutes / 60) });
  return t('js.left.days', { n: Math.floor(minutes / 1440) });
}
