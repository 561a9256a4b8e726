// The report of a job that failed: first exactly what would be sent, then, by a press, that.

import { call } from './api.js';
import { h, once, press, say } from './dom.js';
import { t } from './words.js';

/** The place for a report. Nothing goes anywhere before the person saw it. */
export function report(job) {
  const path = `/api/jobs/${job.id}/report`;
  let seen = null; // the preview that stands here, by its digest: nothing else is sent
  const wanted = ['prompt', 'picture'].map((name) => [name, h('input', { type: 'checkbox', role: 'switch', change: () => look() })]);
  const said = h('p', { class: 'quiet', role: 'status' });
  const shown = h('pre', { class: 'report', tabindex: '0', 'aria-label': t('js.report.shown') });
  const words = h('textarea', { name: 'words', rows: '2', maxlength: '2000', 'aria-label': t('js.report.words'), placeholder: t('js.report.words') });
  const send = press('check', t('js.report.send'), () => once(send, async () => {
    try {
      const more = Object.fromEntries(wanted.map(([name, box]) => [name, box.checked]));
      await call('POST', path, { digest: seen.digest, ...more, ...(words.value.trim() ? { words: words.value.trim() } : {}) });
      for (const part of [shown, words, send]) part.hidden = true;
      say(said, t('js.report.sent'));
    } catch (problem) {
      if (!problem.words) throw problem;
      say(said, problem.words);
    }
  }));
  const look = async () => {
    const more = new URLSearchParams(wanted.map(([name, box]) => [name, String(box.checked)]));
    try {
      seen = await call('GET', `${path}?${more}`);
      say(shown, JSON.stringify(seen.report, null, 2));
    } catch (problem) {
      for (const part of [shown, words, send]) part.hidden = true;
      say(said, problem.words);
    }
  };
  return h('details', { class: 'more', toggle: (event) => event.currentTarget.open && !seen && look() }, h('summary', {}, t('js.report')), h('div', { class: 'acts' }, h('p', { class: 'quiet' }, t('js.report.text')),
    wanted.map(([name, box]) => h('label', { class: 'switch' }, box, h('span', { class: 'slot', 'aria-hidden': 'true' }), h('span', {}, t(`js.report.${name}`)))), shown, words, send, said));
}
