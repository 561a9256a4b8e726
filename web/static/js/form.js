// Forms: what a person wrote goes to an act; what is wrong with it stands beside its field.

import { Problem } from './api.js';
import { once, say } from './dom.js';
import { t } from './words.js';

/**
 * Calls `act(values, form)` when a form is sent whole, and lets it be sent: until a script hears it, its
 * button is off. One that is on its way is not sent twice.
 */
export function onSubmit(form, act) {
  for (const button of form.querySelectorAll('button[type=submit]')) button.disabled = false;
  form.addEventListener('submit', async (event) => {
    event.preventDefault();
    await once(form, () => send(form, act));
  });
}

async function send(form, act) {
  clear(form);
  const empty = [...form.elements].find((field) => field.required && !field.value && field.checkVisibility());
  if (empty) {
    fault(form, new Problem(0, { field: empty.name, detail: t('js.needed') }));
    return;
  }
  try {
    await act(values(form), form);
  } catch (problem) {
    if (!(problem instanceof Problem)) throw problem;
    fault(form, problem);
  }
}

/** The visible fields by name. Passwords stay as they are; other words lose outer blanks. */
function values(form) {
  const found = {};
  for (const field of form.elements) {
    if (!field.name || field.disabled || field.type === 'file' || !field.checkVisibility()) continue;
    if (field.type === 'radio' && !field.checked) continue;
    if (field.type === 'checkbox') found[field.name] = field.checked;
    else found[field.name] = field.type === 'password' ? field.value : field.value.trim();
  }
  return found;
}

export function clear(form) {
  for (const place of form.querySelectorAll('[data-fault]')) place.hidden = true;
  for (const field of form.querySelectorAll('[aria-invalid]')) field.removeAttribute('aria-invalid');
}

/** Says what is wrong beside the field that the problem names, else under all of them. */
export function fault(form, problem) {
  if (!problem.words) return; // the person themselves broke it off
  const name = problem.field.split('.').pop();
  const place = (name && form.querySelector(`[data-fault="${CSS.escape(name)}"]`)) || form.querySelector('[data-fault=""]');
  place.hidden = false;
  say(place, problem.words);
  const field = form.elements[name];
  if (!field?.focus) return;
  field.setAttribute('aria-invalid', 'true');
  field.focus();
}

/** What was filled in and not left empty. */
export function filled(values) {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== ''));
}
