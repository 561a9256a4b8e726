// <musa-card>: what happens, or happened, to the picture on the stage, and the next step.

import { about, exact, goneWords, leftWords, onTick, wentWords } from './clock.js';
import { glyph, h, link, press, say } from './dom.js';
import { rating } from './rating.js';
import { canRemind, remind } from './remind.js';
import { report } from './report.js';
import { fileName } from './save.js';
import { content } from './api.js';
import { dimensions, known, locale, noticeWords, served, size, t } from './words.js';

class Card extends HTMLElement {
  live = [];

  connectedCallback() {
    this.stop = onTick(() => this.update());
  }

  disconnectedCallback() {
    this.stop?.();
  }

  /**
   * Shows an item; rebuilt only when its state changes, so that focus stays where it is and
   * no button is replaced under a finger. What comes later, like a receipt, is filled in.
   */
  show(item) {
    const key = [item.state, item.asset?.id, item.asset?.reason, isGone(item.original), item.wordless, item.problem?.code].join();
    if (item !== this.item || key !== this.key) {
      const focused = this.contains(document.activeElement) ? document.activeElement.textContent : null;
      this.item = item;
      this.key = key;
      this.live = [];
      this.replaceChildren(...this.build(item));
      if (focused !== null) this.refocus(focused);
    }
    this.update();
  }

  /** Focus stays on the act of the same words; where that is gone, the news comes first. */
  refocus(words) {
    const same = [...this.querySelectorAll('button, a')].find((act) => act.textContent === words);
    (same ?? this.querySelector('h2'))?.focus();
  }

  update() {
    if (this.item && !this.hidden) for (const write of this.live) write(this.item);
  }

  /** Text that follows the item and the clock. */
  text(tag, words, attributes = {}) {
    const element = h(tag, attributes);
    this.live.push((item) => say(element, words(item)));
    return element;
  }

  /** The link to a receipt, from the moment that there is one. */
  receipt(of) {
    const slot = h('span');
    this.live.push((item) => {
      const id = of(item)?.receipt;
      if (id && !slot.firstChild) slot.append(h('a', { href: `/receipts/${id}` }, t('js.receipt')));
    });
    return slot;
  }

  title(words) {
    return h('h2', { tabindex: '-1' }, words);
  }

  build(item) {
    switch (item.state) {
      case 'done':
        return this.buildDone(item);
      case 'erasing':
        return this.buildErasing(item);
      case 'gone':
        return this.buildGone(item);
      case 'failed':
        return this.buildFailed(item);
      default:
        return this.buildWorking(item);
    }
  }

  buildWorking(item) {
    const ring = h('musa-ring', { 'data-kind': 'work' });
    const meter = h('div', { class: 'time', role: 'progressbar', 'aria-valuemin': '0', 'aria-valuemax': '100', 'aria-label': t('js.progress') }, ring,
      h('p', {}, this.text('strong', workWords), this.text('span', leftOfWork, { class: 'quiet' })));
    this.live.push(({ job }) => {
      const { done = 0, total = 0 } = job?.progress ?? {};
      const share = total ? done / total : 0;
      ring.setAttribute('value', String(share));
      meter.setAttribute('aria-valuenow', String(Math.round(share * 100)));
    });
    return [
      this.title(item.state === 'running' ? t('js.work.running') : t('js.work.queued')),
      meter,
      lines([
        line('house', noticeWords(item.plan)),
        line('picture', item.save ? t('js.saved') : this.dataset.fate),
        line('again', t('js.work.leave')),
      ]),
      h('div', { class: 'acts' }, press('cross', t('js.cancel'), () => item.cancel())),
    ];
  }

  buildDone(item) {
    const asset = item.output;
    return [
      this.title(t('js.done')),
      this.lifeOf(asset),
      lines([this.originalLine(item), asset.saved ? line('check', t('js.saved')) : null]),
      facts(item),
      h('div', { class: 'acts' },
        this.download(item),
        item.file && press('again', t('js.another'), () => this.tell('musa-another')),
        canRemind() && this.remindButton(item),
        press('trash', t('js.erase.now'), () => item.erase(), 'last'),
        this.more(item), rating(asset)),
    ].filter(Boolean);
  }

  /** What else of it can go: the words, and the original with all that came of it. */
  more(item) {
    const source = item.output && item.original?.state === 'active';
    const gone = item.wordless && h('p', { class: 'quiet', role: 'status' }, t('js.erase.words.gone'));
    if (!source && !item.wordsOf) return gone;
    return h('details', { class: 'more', open: item.wordless }, h('summary', {}, t('js.erase.more')), h('div', { class: 'acts' },
      gone,
      item.wordsOf && press('trash', t('js.erase.words'), () => item.eraseWords(), 'last'),
      item.wordsOf && h('p', { class: 'quiet' }, t('js.erase.words.text')),
      source && press('trash', t('js.erase.source'), () => item.eraseAll(), 'last')));
  }

  lifeOf(asset) {
    if (!asset.ends) return h('p', {}, served(asset.ends_words) || t('js.ready'));
    const ends = new Date(asset.ends);
    return h('div', { class: 'time' }, h('musa-ring', { born: asset.created, ends: asset.ends }),
      h('p', {}, this.text('strong', () => goneWords(ends)),
        h('span', { class: 'quiet' }, this.text('time', () => t('js.left', { left: leftWords(ends - Date.now()) }), { datetime: asset.ends, title: exact(ends) })),
        asset.ends_rule && h('a', { class: 'quiet', href: `/privacy#${asset.ends_rule}` }, t('js.rule'))));
  }

  originalLine({ original, localURL }) {
    if (!original) return null;
    if (!isGone(original)) return line('picture', original.saved ? t('js.original.kept') : t('js.original.going'));
    return line('check', t('js.original.gone'), localURL ? t('js.original.local') : null, this.receipt((item) => item.original));
  }

  download(item) {
    const anchor = link('download', t('js.download'), content(item.output, '?download=1'), 'primary');
    anchor.download = fileName(item);
    return anchor;
  }

  remindButton(item) {
    const button = press('bell', t('js.remind'), async () => {
      say(button.lastElementChild, await remind(item));
    });
    return button;
  }

  buildErasing(item) {
    const seconds = ({ asset }) => Math.max(0, Math.ceil((Date.parse(asset.undo_until) - Date.now()) / 1000)) || 0;
    return [
      this.title(t('js.erasing.title')),
      h('div', { class: 'time' },
        h('musa-ring', { 'data-kind': 'undo', born: item.erasingSince, ends: item.asset.undo_until }),
        h('p', {}, this.text('strong', (it) => t('js.erasing', { n: seconds(it) })), h('span', { class: 'quiet' }, t('js.erasing.text')))),
      h('div', { class: 'acts' }, press('undo', t('js.undo'), () => item.undo(), 'primary')),
    ];
  }

  buildGone(item) {
    const { asset } = item;
    const why = known(`js.gone.${asset?.reason}`) ? t(`js.gone.${asset.reason}`) : t('js.gone.text');
    return [
      this.title(t('js.gone')),
      h('div', { class: 'time' }, h('musa-ring', { 'data-kind': 'over' }), h('p', {},
        this.text('strong', () => wentWords(new Date(asset?.erased ?? asset?.ends ?? Date.now()))), h('span', { class: 'quiet' }, why))),
      lines([
        line('receipt', this.text('span', (it) => (it.asset?.receipt ? t('js.receipt.text') : t('js.receipt.soon'))), null, this.receipt((it) => it.asset)),
      ]),
      h('div', { class: 'acts' },
        item.file && press('again', t('js.again'), () => this.tell('musa-another'), 'primary'),
        press('cross', t('js.clear'), () => this.tell('musa-clear'))),
    ];
  }

  buildFailed(item) {
    const cancelled = item.problem?.code === 'cancelled' || item.problem?.code === 'stopped';
    // A file that cannot be read will not be readable the second time.
    const hopeless = !item.original && /^(image_|file_too)/.test(item.problem?.code ?? '');
    const next = known(`failure.${item.problem?.code}.next`) ? t(`failure.${item.problem.code}.next`) : null;
    return [
      this.title(cancelled ? t('js.cancelled') : t('js.failed.title')),
      h('p', { class: 'bad', role: 'alert' }, item.problem?.words ?? t('failure.unknown')),
      next && h('p', {}, next),
      lines([line('check', t('js.failed.free')), this.originalLine(item)]),
      h('p', { class: 'quiet' }, this.text('span', ({ retryAt }) => (retryAt > Date.now() ? t('js.retry.in', { n: Math.ceil((retryAt - Date.now()) / 1000) }) : ''))),
      h('div', { class: 'acts' },
        hopeless && press('picture', t('js.choose'), () => this.tell('musa-choose'), 'primary'),
        !hopeless && item.repeatable && press('again', t('js.retry'), () => this.tell('musa-retry'), 'primary'),
        press('cross', t('js.clear'), () => this.tell('musa-clear')),
        !cancelled && item.job?.id && report(item.job),
        this.more(item)),
    ].filter(Boolean);
  }

  tell(name) {
    this.dispatchEvent(new CustomEvent(name, { bubbles: true, detail: this.item }));
  }
}

function line(icon, words, more = null, act = null) {
  return h('li', {}, glyph(icon), h('p', {}, words, more && h('span', { class: 'quiet' }, more), act && [' ', act]));
}

function lines(items) {
  return h('ul', { class: 'lines' }, items.filter(Boolean));
}

function isGone(asset) {
  return ['hidden', 'erased', 'purged'].includes(asset?.state);
}

function workWords({ state, job }) {
  if (state === 'starting') return t('js.starting');
  if (state === 'queued') return job?.position ? t('js.queued', { n: job.position }) : t('js.queued.next');
  const { step, done = 0, total = 0 } = job?.progress ?? {};
  const name = known(`step.${step}.now`) ? t(`step.${step}.now`) : t('js.work.step');
  return total > 1 ? t('js.work.tiles', { step: name, done, total }) : name;
}

function leftOfWork({ job, plan }) {
  const seconds = job?.progress?.seconds_left ?? plan?.seconds;
  return seconds ? t('js.work.left', { about: about(seconds) }) : '';
}

function facts({ output, original }) {
  const made = output.made ?? {};
  const steps = (made.steps ?? []).filter((step) => step.on);
  const names = new Intl.ListFormat(locale).format(steps.map((step) => (known(`step.${step.name}`) ? t(`step.${step.name}`) : step.name)));
  const rows = [
    ['js.fact.size', output.width && dimensions(output.width, output.height)],
    ['js.fact.was', original?.width && dimensions(original.width, original.height)],
    ['js.fact.file', output.bytes && `${(output.format ?? '').toUpperCase()}, ${size(output.bytes)}`],
    ['js.fact.understood', made.understood],
    ['js.fact.steps', names],
    ['js.fact.model', [made.engine, made.model].filter(Boolean).join(' · ')],
    ['js.fact.took', made.seconds && about(made.seconds)],
  ];
  return h('dl', { class: 'facts' }, rows.filter(([, value]) => value).map(([key, value]) => h('div', {}, h('dt', {}, t(key)), h('dd', {}, value))));
}

customElements.define('musa-card', Card);
