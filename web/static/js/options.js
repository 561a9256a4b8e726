// <musa-options>: the order form. It says what an order would do before it is given: the
// steps with their reasons, the size, the time, the credits and the original's fate.

import { about } from './clock.js';
import { glyph, h, say } from './dom.js';
import { dimensions, known, lang, noticeWords, number, served, t } from './words.js';

class Options extends HTMLElement {
  choices = {}; // steps that the person switched, by name
  rows = new Map();

  connectedCallback() {
    this.form = this.querySelector('form');
    this.find = (name) => this.querySelector(`[data-${name}]`);
    this.form.addEventListener('submit', (event) => {
      event.preventDefault();
      this.dispatchEvent(new Event('musa-start'));
    });
    this.form.addEventListener('input', (event) => {
      if (event.target.name === 'save') this.#tell('musa-save');
      else if (!event.target.dataset.step) this.#changed(event.target.name === 'prompt' ? 600 : 120);
    });
    this.find('steps-auto').addEventListener('click', () => {
      this.choices = {};
      this.#changed(0);
      this.form.elements.prompt.focus({ preventScroll: true });
    });
    // On a phone the options fold, so that the picture and the act stay in sight.
    const narrow = matchMedia('(max-width: 900px)');
    const fold = () => { this.querySelector('.fold').open = !narrow.matches; };
    narrow.addEventListener('change', fold);
    fold();
    this.#summary();
  }

  /** The order as the API takes it. */
  get order() {
    const { scale, quality, format, prompt } = this.form.elements;
    const params = { scale: Number(scale.value), steps: this.choices };
    if (quality.value !== 'auto') params.quality = quality.value;
    if (format.value !== 'auto') params.format = format.value;
    return { prompt: prompt.value.trim(), params };
  }

  get save() {
    return this.form.elements.save.checked;
  }

  set save(kept) {
    this.form.elements.save.checked = kept;
  }

  #tell(name) {
    this.dispatchEvent(new Event(name));
  }

  #changed(wait) {
    this.#summary();
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.#tell('musa-order'), wait);
  }

  #summary() {
    const { scale, quality, format } = this.form.elements;
    say(this.find('summary'), [
      t('js.scale', { n: scale.value }), t(`js.quality.${quality.value}`), t(`format.${format.value}`),
    ].join(', '));
  }

  /** Shows what the order means for the picture on the stage and for all that are ready. */
  show(current, ready, uploading) {
    const plan = current?.plan;
    this.#showSteps(plan);
    say(this.find('notice'), noticeWords(plan));
    const understood = plan?.understood;
    this.find('understood').hidden = !understood;
    if (understood) say(this.find('understood'), t('js.understood', { words: understood }));
    const original = served(plan?.original_words);
    if (original) say(this.find('original'), original);
    // The first plan's steps push the button down: it cannot be missed before it can be pressed.
    const planning = this.rows.size === 0 && current?.state === 'ready' && !current.problem;
    this.find('start').disabled = ready.length === 0 || planning;
    const count = Math.max(1, ready.length);
    say(this.find('start-words'), t('js.start', { n: count }));
    this.find('estimate').replaceChildren(...this.#estimate(current, ready, uploading));
  }

  #estimate(current, ready, uploading) {
    if (current?.problem && current.state === 'ready') return [glyph('warn'), h('span', {}, current.problem.words)];
    if (uploading > 0 && ready.length === 0) {
      return [current?.state === 'uploading' ? t('js.uploading', { n: Math.round(current.sent * 100) }) : t('js.uploading.some', { n: uploading })];
    }
    const plans = ready.map((item) => item.plan).filter(Boolean);
    if (!plans.length) return [t('js.planning')];
    const seconds = plans.reduce((sum, plan) => sum + (plan.seconds || 0), 0);
    const credits = plans.reduce((sum, plan) => sum + (plan.credits || 0), 0);
    const facts = [];
    if (plans.length === 1) facts.push(`${dimensions(plans[0].width, plans[0].height)} ${(plans[0].format || '').toUpperCase()}`);
    else facts.push(t('js.pictures', { n: plans.length }));
    if (credits) facts.push(t('js.credits', { n: credits, count: number(credits) }));
    return [h('strong', {}, about(seconds)), ` · ${facts.join(' · ')}`];
  }

  #showSteps(plan) {
    const list = this.find('steps');
    const steps = plan?.steps ?? [];
    this.find('steps-empty').hidden = steps.length > 0 || this.rows.size > 0;
    this.find('steps-auto').hidden = Object.keys(this.choices).length === 0;
    if (!plan) return;
    for (const step of steps) {
      if (!this.rows.has(step.name)) {
        this.rows.set(step.name, this.#row(step.name));
        list.append(this.rows.get(step.name).row);
      }
      const { input, why } = this.rows.get(step.name);
      input.checked = step.on;
      const yours = step.name in this.choices;
      why.lang = yours ? lang : 'en';
      say(why, yours ? t('js.step.yours') : step.why || '');
    }
    for (const [name, { row }] of this.rows) {
      if (steps.some((step) => step.name === name)) continue;
      row.remove();
      this.rows.delete(name);
    }
  }

  #row(name) {
    const input = h('input', { type: 'checkbox', role: 'switch', 'data-step': name });
    // The engine gives its reasons in English.
    const why = h('span', { class: 'quiet', lang: 'en' });
    input.addEventListener('change', () => {
      this.choices = { ...this.choices, [name]: input.checked ? 'on' : 'off' };
      this.#changed(120);
    });
    const words = known(`step.${name}`) ? t(`step.${name}`) : name;
    const row = h('li', {}, h('label', { class: 'switch' }, input,
      h('span', { class: 'slot', 'aria-hidden': 'true' }), h('span', {}, h('strong', {}, words), why)));
    return { row, input, why };
  }
}

customElements.define('musa-options', Options);
