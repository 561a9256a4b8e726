// The interface's words, from the catalogue that the page carries.

const island = JSON.parse(document.getElementById('words').textContent);

export const lang = island.lang;

/** The browser's own variety of the page's language, for dates and numbers. */
export const locale = navigator.languages.find((own) => own.split('-')[0] === lang) ?? lang;

/**
 * The server's own sentences are English; where the page speaks another language it uses
 * its own. The rule that a sentence cites at its end is left to the link beside it.
 */
export function served(words) {
  return lang === 'en' && words ? words.replace(/ \([^()]*\)(?=\.?$)/, '') : '';
}

/** Who sees the picture. A remote engine's line names the processor, so it is shown as it is. */
export function noticeWords(plan) {
  if (!plan?.notice || (plan.engine ?? 'local') === 'local') return served(plan?.notice) || t('js.notice.local');
  return plan.notice;
}

const plural = new Intl.PluralRules(lang);

/** Says a message with its {names} filled in; `n` chooses the plural form. */
export function t(key, vars = {}) {
  const message = island.words[key];
  if (message === undefined) return key;
  let text = message;
  if (typeof message === 'object') {
    text = ('n' in vars && message[plural.select(vars.n)]) || message.other;
  }
  return text.replace(/\{(\w+)\}/g, (whole, name) => (name in vars ? String(vars[name]) : whole));
}

export function known(key) {
  return key in island.words;
}

const whole = new Intl.NumberFormat(locale);

export function number(n) {
  return whole.format(n);
}

/** Bytes in words: 4.2 MB. */
export function size(bytes) {
  const [unit, n] = bytes >= 1e6 ? ['megabyte', bytes / 1e6] : ['kilobyte', Math.max(1, bytes / 1e3)];
  return new Intl.NumberFormat(locale, {
    style: 'unit', unit, unitDisplay: 'short', maximumFractionDigits: n < 10 ? 1 : 0,
  }).format(n);
}

/** 4032 × 3024 */
export function dimensions(width, height) {
  return `${width} × ${height}`;
}
