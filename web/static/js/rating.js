// A person's own word on a result: from one to five, and a note. It is theirs to take back.

import { call } from './api.js';
import { h, say } from './dom.js';
import { t } from './words.js';

/** The place for a rating of one picture. What was said before is looked up when it is opened. */
export function rating(asset) {
  const said = h('p', { class: 'quiet', role: 'status' });
  const note = h('textarea', { name: 'note', rows: '2', maxlength: '2000', 'aria-label': t('js.rate.note'), placeholder: t('js.rate.note') });
  const marks = h('div', { class: 'segments' }, [1, 2, 3, 4, 5].map((n) => h('label', {}, h('input', { type: 'radio', name: `rating-${asset.id}`, value: String(n) }), h('span', {}, String(n)))));
  const remove = h('button', { type: 'button', class: 'plain', hidden: true, click: () => attempt(async () => {
    await call('DELETE', path);
    show({});
    say(said, t('js.rate.removed'));
  }) }, t('js.rate.remove'));
  const path = `/api/assets/${asset.id}/feedback`;
  const show = ({ rating: mark = 0, note: words = '' }) => {
    for (const radio of marks.querySelectorAll('input')) radio.checked = Number(radio.value) === mark;
    note.value = words;
    remove.hidden = !mark && !words;
  };
  const attempt = async (act) => {
    try {
      await act();
    } catch (problem) {
      if (!problem.words) throw problem;
      say(said, problem.words);
    }
  };
  const form = h('form', { class: 'rating', submit: (event) => {
    event.preventDefault();
    attempt(async () => {
      const mark = Number(marks.querySelector('input:checked')?.value ?? 0);
      if (!mark) {
        say(said, t('js.rate.first'));
        return;
      }
      await call('PUT', path, { rating: mark, note: note.value.trim() });
      remove.hidden = false;
      say(said, t('js.rate.kept'));
    });
  } }, h('fieldset', { class: 'field' }, h('legend', {}, t('js.rate.legend')), marks), note,
  h('p', { class: 'row' }, h('button', { type: 'submit', class: 'press' }, t('js.rate.act')), remove), said);
  let looked = false;
  return h('details', { class: 'more', toggle: async (event) => {
    if (!event.currentTarget.open || looked) return;
    looked = true;
    const before = await call('GET', path).catch(() => null);
    if (before) show(before);
  } }, h('summary', {}, t('js.rate')), form);
}
