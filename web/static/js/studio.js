// <musa-studio>: the main job. It carries pictures from the drop to their end and keeps
// the stage, the order form and the shelf in step.

import './card.js';
import './drop.js';
import './frame.js';
import './options.js';
import './picture.js';
import './ring.js';
import './tile.js';
import './viewer.js';

import { accord } from './accord.js';
import { Problem, call, resume } from './api.js';
import { clockTime, dayOf, onTick } from './clock.js';
import { h, press, say } from './dom.js';
import { Item } from './item.js';
import { remindAt } from './remind.js';
import { saveAll } from './save.js';
import { number, t } from './words.js';

/** Runs tasks, a few at a time: what `urgent(item)` picks goes before what came earlier. */
class Lane {
  waiting = [];
  running = 0;

  constructor(width, urgent = () => false) {
    Object.assign(this, { width, urgent });
  }

  add(item, task) {
    this.waiting.push({ item, task });
    this.next();
  }

  next() {
    while (this.running < this.width && this.waiting.length) {
      this.running++;
      const [{ task }] = this.waiting.splice(Math.max(0, this.waiting.findIndex(({ item }) => this.urgent(item))), 1);
      task().finally(() => {
        this.running--;
        this.next();
      });
    }
  }
}

class Studio extends HTMLElement {
  items = [];
  current = null;
  uploads = new Lane(2, (item) => item === this.current);
  plans = new Lane(2, (item) => item === this.current);
  round = 0;

  connectedCallback() {
    this.find = (name) => this.querySelector(`[data-${name}]`);
    this.notices = document.querySelector('musa-notices');
    this.options = this.find('options');
    this.addEventListener('musa-files', (event) => this.add(event.detail));
    this.options.addEventListener('musa-start', () => this.start());
    this.options.addEventListener('musa-order', () => this.askAll());
    this.options.addEventListener('musa-save', () => this.ready.forEach((item) => item.keepOriginal(this.options.save).then(() => this.ask(item))));
    this.addEventListener('musa-clear', (event) => this.clear(event.detail));
    this.addEventListener('musa-governed', () => this.current?.refresh());
    this.addEventListener('musa-retry', (event) => this.retry(event.detail));
    this.addEventListener('musa-choose', (event) => {
      this.clear(event.detail);
      this.querySelector('musa-drop').pick();
    });
    this.addEventListener('musa-another', (event) => this.add([event.detail.file]));
    this.find('more').addEventListener('click', () => this.querySelector('musa-drop').pick());
    this.find('all').addEventListener('click', () => this.saveAll());
    onTick((now) => this.tick(now));
    document.addEventListener('visibilitychange', () => document.hidden || this.catchUp());
    addEventListener('pageshow', (event) => event.persisted && this.catchUp());
    this.restore();
  }

  get ready() {
    return this.items.filter((item) => item.state === 'ready');
  }

  get results() {
    return this.items.filter((item) => item.state === 'done');
  }

  /** Finds again what lives on the server, and the jobs whose ids stand in the address. */
  async restore() {
    const jobs = new URLSearchParams(location.hash.slice(1)).get('jobs')?.split(',').filter(Boolean) ?? [];
    if (!this.hasAttribute('data-restore')) return;
    resume();
    this.credits();
    const found = await Promise.all(jobs.map((id) => call('GET', `/api/jobs/${id}`).catch(() => null)));
    const open = found.filter((job) => job && (job.state === 'queued' || job.state === 'running'));
    open.map((job) => Item.fromJob(job)).forEach((item) => this.place(item));
    this.#restoreAssets(await this.#listAll(), new Set(open.flatMap((job) => (job.inputs ?? []).map(({ id }) => id))));
  }

  async #listAll() {
    const assets = [];
    for (let after = ''; ;) {
      const page = await call('GET', `/api/assets?limit=200${after && `&after=${after}`}`).catch((problem) => this.#unread(problem));
      assets.push(...page.assets);
      after = page.next;
      if (!after || assets.length >= 2000) return assets;
    }
  }

  /** Pictures that could not be looked up are there all the same: an empty studio would say they are not. */
  #unread(problem) {
    if (problem.passing || problem.status >= 500) {
      this.notices.show('unread', { icon: 'warn', words: t('js.unread'), acts: [press('again', t('js.retry'), () => location.reload())], onClose: () => {} });
    }
    return { assets: [] };
  }

  /** Ends may have moved meanwhile: by a choice on the account's page, or by a plan that ended. */
  async catchUp() {
    if (this.catching || !this.items.some((item) => ['ready', 'done'].includes(item.state) && item.asset)) return;
    this.catching = true;
    const now = new Map((await this.#listAll()).map((asset) => [asset.id, asset]));
    this.catching = false;
    for (const item of this.items) {
      const asset = now.get(item.asset?.id);
      if (asset && ['ready', 'done'].includes(item.state) && asset.ends !== item.asset.ends) item.refresh();
    }
    this.credits();
  }

  #restoreAssets(assets, inWork) {
    const originals = new Map(assets.filter(({ kind }) => kind === 'original').map((asset) => [asset.id, asset]));
    for (const asset of assets.filter(({ kind }) => kind === 'output')) {
      const item = Item.fromAsset(asset);
      for (const id of asset.sources ?? []) {
        item.original ??= originals.get(id) ?? null;
        item.name ||= item.original?.name ?? '';
        inWork.add(id);
      }
      this.place(item);
    }
    for (const asset of originals.values()) {
      if (asset.state === 'active' && !inWork.has(asset.id)) this.place(Item.fromAsset(asset));
    }
    // What lives is shown first; a tombstone only where nothing else is left.
    const living = this.items.find(({ state }) => state !== 'gone');
    if (this.current?.state === 'gone' && living) this.show(living);
    this.askAll();
  }

  add(files) {
    const items = files.map((file) => Item.fromFile(file));
    const wasEmpty = this.items.length === 0;
    items.forEach((item, index) => {
      item.save = this.options.save;
      this.place(item, index);
      // A type that the browser knows is no picture need not travel to be refused.
      if (item.file.type && !item.file.type.startsWith('image/')) item.change({ state: 'failed', problem: new Problem(0, { code: 'image_unknown' }) });
      else this.uploads.add(item, () => item.send());
    });
    this.show(items[0]);
    if (wasEmpty) scrollTo({ top: 0 });
    this.say(t('js.said.added', { n: items.length }));
  }

  /** Gives an item its place on the shelf. */
  place(item, at = this.items.length) {
    const tile = h('musa-tile');
    const slot = h('li', {}, tile);
    this.items.splice(at, 0, item);
    item.tile = tile;
    tile.bind(item, (picked) => this.show(picked, 'scroll'));
    this.find('tiles').insertBefore(slot, this.find('tiles').children[at] ?? null);
    tile.render();
    item.addEventListener('family', () => {
      for (const other of this.items) if (other !== item && other.original?.id === item.original.id) other.refresh();
    });
    let was = item.state;
    item.addEventListener('change', () => {
      const before = was;
      was = item.state;
      this.follow(item, before);
    });
    if (!this.current) this.show(item);
    this.frame();
  }

  /** What follows from an item's change. */
  follow(item, before) {
    if (item.state !== before) {
      this.remember();
      if (item.state === 'ready' && !item.plan) this.ask(item);
      if (item.state === 'done') this.finished(item, before);
      if (item.state === 'failed') this.failed(item);
      if (item.state === 'erasing') this.say(t('js.said.erasing'));
      if (item.state === 'gone') this.say(t('js.said.gone'));
      if (item.state === 'queued') this.credits();
    }
    this.frame();
  }

  finished(item, before) {
    if (before === 'erasing') return;
    this.say(t('js.said.done', { name: item.name }));
    this.credits();
  }

  /** A receipt is written a moment after an erasure was confirmed: it is asked for often at first. */
  receiptDue(asset, asked, now) {
    const end = Date.parse(asset?.erased ?? asset?.ends ?? '');
    if (!(end <= now) || asset.receipt || asset.state === 'purged') return false;
    return now - (asked ?? end) > (now - end < 120_000 ? 5000 : 60_000);
  }

  async refreshOriginal(item) {
    const original = await call('GET', `/api/assets/${item.original.id}`).catch(() => null);
    // A tombstone has no size; what was seen of it before stays on the page.
    if (original) item.change({ original: { ...item.original, ...original } });
  }

  failed(item) {
    this.say(item.problem?.words ?? t('failure.unknown'));
    if (!item.problem?.passing || !item.problem.retryAfter) return;
    item.retryAt = Date.now() + item.problem.retryAfter * 1000;
    setTimeout(() => item.state === 'failed' && this.retry(item), item.problem.retryAfter * 1000);
  }

  retry(item) {
    item.retryAt = 0;
    if (item.original?.state === 'active' && (item.original.saved || !item.job)) {
      item.change({ state: 'ready', problem: null, job: null });
    } else if (item.file) {
      Object.assign(item, { original: null, job: null });
      this.uploads.add(item, () => item.send());
    }
  }

  clear(item) {
    const at = this.items.indexOf(item);
    if (at < 0) return;
    item.forget();
    this.items.splice(at, 1);
    item.tile.parentElement.remove();
    if (this.current === item) {
      this.current = null;
      const next = this.items[Math.min(at, this.items.length - 1)];
      if (next) this.show(next);
    }
    this.frame();
  }

  ask(item) {
    this.plans.add(item, () => (item.state === 'ready' ? item.ask(this.options.order) : Promise.resolve()));
  }

  /** Asks anew for all that are ready; older rounds fall away. */
  askAll() {
    const round = ++this.round;
    for (const item of this.ready) {
      this.plans.add(item, () => (round === this.round && item.state === 'ready' ? item.ask(this.options.order) : Promise.resolve()));
    }
  }

  async start() {
    const order = this.options.order;
    for (const item of this.ready) await item.start(order);
  }

  show(item, manner = '') {
    if (this.current) this.current.tile.current = false;
    this.current = item;
    item.tile.current = true;
    this.frame();
    if (manner === 'scroll') this.find('viewer').scrollIntoView({ block: 'start', behavior: matchMedia('(prefers-reduced-motion: reduce)').matches ? 'auto' : 'smooth' });
  }

  /** Brings stage, form and shelf in step; cheap, and at most once a frame. */
  frame() {
    if (this.framed) return;
    this.framed = requestAnimationFrame(() => {
      this.framed = 0;
      this.draw();
    });
  }

  draw() {
    const { current } = this;
    const empty = this.items.length === 0;
    this.find('hero').hidden = !empty;
    this.find('bench').hidden = empty;
    this.find('shelf').hidden = empty;
    if (empty || !current) return;
    this.find('viewer').show(current);
    const ordering = ['waiting', 'uploading', 'ready'].includes(current.state);
    this.options.hidden = !ordering;
    this.find('card').hidden = ordering;
    const uploading = this.items.filter(({ state }) => state === 'uploading' || state === 'waiting').length;
    if (ordering) this.options.show(current, this.ready, uploading);
    else this.find('card').show(current);
    this.find('privacy').show(['ready', 'done'].includes(current.state) ? current.asset : null);
    say(this.find('count'), number(this.items.length));
    const results = this.results.length;
    this.find('all').hidden = results < 2;
    if (!this.saving) say(this.find('all-words'), t('js.all', { n: results }));
  }

  async saveAll() {
    if (this.saving) return;
    this.saving = true;
    const results = this.results;
    try {
      const saved = await saveAll(results, (n) => say(this.find('all-words'), t('js.all.packing', { done: n, total: results.length })));
      this.say(t('js.said.saved', { n: saved }));
    } finally {
      this.saving = false;
      this.frame();
    }
  }

  /** Once a second: who went, who will soon, whose undo is over. */
  tick(now) {
    for (const item of this.items) {
      const end = item.state === 'erasing' ? item.asset?.undo_until : item.asset?.ends;
      const over = end && Date.parse(end) <= now;
      const receiptDue = item.state === 'gone' && this.receiptDue(item.asset, item.asked, now);
      if ((over && ['ready', 'done', 'erasing'].includes(item.state) && now - (item.asked ?? 0) > 1500) || receiptDue) {
        item.asked = now;
        item.refresh();
      }
      if (item.state === 'done' && !item.original?.saved && this.receiptDue(item.original, item.originalAsked, now)) {
        item.originalAsked = now;
        this.refreshOriginal(item);
      }
    }
    this.remindOf(this.results.filter(({ output }) => output.ends && remindAt(output) <= now && Date.parse(output.ends) > now));
  }

  remindOf(soon) {
    if (!soon.length) {
      this.notices.drop('soon');
      this.reminded = 0;
      return;
    }
    if (this.reminded === soon.length || this.quiet) return;
    this.reminded = soon.length;
    this.notices.show('soon', {
      icon: 'bell',
      words: t('js.soon', { n: soon.length }),
      acts: [press('download', t('js.all', { n: soon.length }), () => saveAll(soon, () => {}))],
      onClose: () => { this.quiet = true; },
    });
  }

  /** Open jobs stand in the address, so that a long one can be left and found again. */
  remember() {
    const open = this.items.filter((item) => item.open && item.job).map((item) => item.job.id);
    history.replaceState(null, '', open.length ? `#jobs=${open.join(',')}` : location.pathname + location.search);
  }

  async credits() {
    const me = await call('GET', '/api/me').catch(() => null);
    const place = document.getElementById('credits');
    if (!me || typeof me.credits !== 'number') return;
    place.hidden = false;
    say(place, t('js.credits', { n: me.credits, count: number(me.credits) }));
    this.tell(me);
    accord(me);
  }

  /** What was announced about all of it: an account that closes, a plan that ended. */
  tell({ closing, notices = [] }) {
    const said = [];
    const when = (instant) => `${dayOf(new Date(instant))}, ${clockTime(new Date(instant))}`;
    if (closing?.undo_until) said.push(t('js.short.closing', { time: when(closing.undo_until) }));
    const items = notices.reduce((sum, notice) => sum + notice.items, 0);
    if (items) said.push(t('js.short.former', { n: items, count: number(items), time: when(notices[0].at) }));
    if (!said.length) this.notices.drop('announced');
    else this.notices.show('announced', { icon: 'bell', words: said.join(' '), acts: [h('a', { class: 'press', href: '/me' }, t('js.short.more'))] });
  }

  say(words) {
    say(this.find('say'), words);
  }
}

customElements.define('musa-studio', Studio);
