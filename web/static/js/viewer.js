// <musa-viewer>: one picture on the stage; before and after under one divider, zoom, and
// the veil that real progress lifts tile by tile. All of it works from the keyboard.

import { barePress, glyph, h, say, svg } from './dom.js';
import { dimensions, t } from './words.js';

const maxPercent = 4; // of the result's own pixels

class Viewer extends HTMLElement {
  zoom = 1;
  pan = { x: 0, y: 0 };
  split = 50;
  pointers = new Map();

  connectedCallback() {
    if (this.view) return;
    this.before = this.#layer();
    this.after = this.#layer();
    this.veil = h('canvas', { hidden: true });
    this.empty = h('p', { class: 'view-empty', hidden: true });
    this.handle = this.#makeHandle();
    this.tags = [h('span', { class: 'tag before' }, t('js.before')), h('span', { class: 'tag after' }, t('js.after'))];
    this.view = h('div', { class: 'view', tabindex: '0', role: 'group', 'aria-label': t('js.view.label') },
      this.after.layer, this.before.layer, this.empty, ...this.tags, this.handle);
    this.before.plane.append(this.veil);
    this.title_ = h('span', { class: 'title' });
    this.percent = h('output', {}, '');
    this.bar = h('div', { class: 'bar' }, this.title_, h('div', { class: 'zoom' },
      barePress('minus', t('js.zoom.out'), () => this.zoomBy(1 / 1.5)),
      this.percent,
      barePress('plus', t('js.zoom.in'), () => this.zoomBy(1.5)),
      barePress('fit', t('js.zoom.fit'), () => this.fit()),
    ));
    this.append(this.view, this.bar);
    this.#listen();
    new ResizeObserver(() => this.layout()).observe(this.view);
  }

  #layer() {
    const img = h('img', { alt: '', draggable: 'false', hidden: true });
    const plane = h('div', { class: 'plane' }, img);
    img.addEventListener('load', () => {
      this.natural = Math.max(this.after.img.naturalWidth, this.before.img.naturalWidth);
      if (img.naturalHeight) this.ratio = img.naturalWidth / img.naturalHeight;
      this.layout();
    });
    img.addEventListener('error', () => {
      img.failed = img.getAttribute('src');
      if (this.item) this.show(this.item);
      if (this.item && img.getAttribute('src')?.startsWith('/api/')) this.item.refresh();
    });
    return { img, plane, layer: h('div', { class: 'layer' }, plane) };
  }

  #makeHandle() {
    return h('div', {
      class: 'handle', role: 'slider', tabindex: '0', hidden: true,
      'aria-label': t('js.compare'), 'aria-orientation': 'horizontal', 'aria-valuemin': '0', 'aria-valuemax': '100',
    }, h('span', { class: 'knob' }, svg('svg', { viewBox: '0 0 20 20', 'aria-hidden': 'true' },
      svg('path', { d: 'M7.5 6 3.5 10l4 4M12.5 6l4 4-4 4' }))));
  }

  /** Puts a picture on the stage; the same one again only updates it. */
  show(item) {
    if (item !== this.item) {
      this.item = item;
      this.zoom = 1;
      this.pan = { x: 0, y: 0 };
      this.split = 50;
      this.natural = 0;
    }
    this.ratio = item.ratio;
    const gone = item.state === 'gone';
    const comparing = Boolean(item.outputURL && item.originalURL);
    this.#source(this.before.img, gone || (item.outputURL && !comparing) ? '' : item.originalURL, 'before');
    this.#source(this.after.img, gone ? '' : item.outputURL, 'after');
    this.toggleAttribute('data-erasing', item.state === 'erasing');
    this.view.classList.toggle('erasing', item.state === 'erasing');
    const busy = item.open || item.state === 'uploading';
    const blank = this.before.img.hidden && this.after.img.hidden;
    this.empty.hidden = !blank;
    this.bar.classList.toggle('still', blank);
    if (blank) this.#showEmpty(item.state);
    this.title_.replaceChildren(...this.#title(item));
    this.layout();
    this.veil.hidden = !busy || blank;
    if (!this.veil.hidden) this.#drawVeil();
  }

  #showEmpty(state) {
    const words = { gone: t('js.view.gone'), failed: t('js.view.failed') }[state] ?? t('js.view.none');
    if (this.empty.textContent === words) return;
    this.empty.replaceChildren(state === 'gone' ? h('musa-ring', { 'data-kind': 'over' }) : glyph('picture'), h('span', {}, words));
  }

  #title(item) {
    const { width, height } = item.asset ?? {};
    const parts = [item.name || t('js.picture')];
    if (width) parts.push(dimensions(width, height));
    return [parts.join(' · ')];
  }

  #source(img, url, role) {
    if (img.getAttribute('src') !== url) {
      if (url) img.src = url;
      else img.removeAttribute('src');
    }
    img.hidden = !url || img.failed === url;
    img.alt = url ? t(`js.alt.${role}`, { name: this.item.name || t('js.picture') }) : '';
  }

  get comparing() {
    return !this.before.img.hidden && !this.after.img.hidden;
  }

  fit() {
    this.zoom = 1;
    this.pan = { x: 0, y: 0 };
    this.layout();
  }

  /** Zooms about a point of the view, its middle if none is given. */
  zoomBy(factor, point = null) {
    const old = this.zoom;
    // A picture smaller than the stage is shown larger than it is: its own pixels lie below the fit.
    const [least, most] = [Math.min(1, this.#own()), Math.max(2, maxPercent * this.#own())];
    this.zoom = Math.min(most, Math.max(least, old * factor));
    const { clientWidth: w, clientHeight: ht } = this.view;
    const from = point ? { x: point.x - w / 2, y: point.y - ht / 2 } : { x: 0, y: 0 };
    const grown = this.zoom / old;
    this.pan = { x: from.x - (from.x - this.pan.x) * grown, y: from.y - (from.y - this.pan.y) * grown };
    this.layout();
  }

  layout() {
    const { clientWidth: w, clientHeight: ht } = this.view;
    if (!w || !ht) return;
    const pad = w > 700 ? 24 : 0;
    this.fitWidth = Math.max(1, Math.min(w - 2 * pad, (ht - 2 * pad) * this.ratio));
    const width = this.fitWidth * this.zoom;
    const height = width / this.ratio;
    const roomX = Math.max(0, (width - w) / 2);
    const roomY = Math.max(0, (height - ht) / 2);
    this.pan.x = Math.min(roomX, Math.max(-roomX, this.pan.x));
    this.pan.y = Math.min(roomY, Math.max(-roomY, this.pan.y));
    const left = (w - width) / 2 + this.pan.x;
    const top = (ht - height) / 2 + this.pan.y;
    for (const { plane } of [this.before, this.after]) {
      Object.assign(plane.style, { left: `${left}px`, top: `${top}px`, width: `${width}px`, height: `${height}px` });
    }
    this.view.toggleAttribute('data-zoomed', this.zoom > 1.001);
    this.span = { from: Math.max(0, left), to: Math.min(w, left + width) };
    const [from, to] = [Math.max(0, top), Math.min(ht, top + height)];
    Object.assign(this.handle.style, { top: `${from}px`, height: `${to - from}px` });
    this.#layoutSplit(w);
    const shown = this.natural ? Math.round((100 * width * devicePixelRatio) / this.natural) : 0;
    say(this.percent, shown ? `${shown} %` : '');
  }

  #layoutSplit(viewWidth) {
    this.handle.hidden = !this.comparing;
    for (const tag of this.tags) tag.hidden = !this.comparing;
    const x = this.span.from + ((this.span.to - this.span.from) * this.split) / 100;
    this.before.layer.style.clipPath = this.comparing ? `inset(0 ${viewWidth - x}px 0 0)` : 'none';
    this.handle.style.left = `${x}px`;
    const value = Math.round(this.split);
    this.handle.setAttribute('aria-valuenow', String(value));
    this.handle.setAttribute('aria-valuetext', t('js.compare.value', { n: value }));
  }

  #splitAt(clientX) {
    const x = clientX - this.view.getBoundingClientRect().left;
    this.split = Math.min(100, Math.max(0, (100 * (x - this.span.from)) / (this.span.to - this.span.from || 1)));
    this.layout();
  }

  #listen() {
    this.view.addEventListener('pointerdown', (event) => this.#down(event));
    this.view.addEventListener('pointermove', (event) => this.#move(event));
    for (const kind of ['pointerup', 'pointercancel']) {
      this.view.addEventListener(kind, (event) => {
        this.pointers.delete(event.pointerId);
        this.dragging = null;
      });
    }
    this.view.addEventListener('dblclick', (event) => {
      const box = this.view.getBoundingClientRect();
      if (this.zoom > 1.001) this.fit();
      else this.zoomBy(Math.max(1.5, this.#own()), { x: event.clientX - box.left, y: event.clientY - box.top });
    });
    this.view.addEventListener('wheel', (event) => {
      if (!event.ctrlKey && !event.metaKey) return;
      event.preventDefault();
      const box = this.view.getBoundingClientRect();
      this.zoomBy(Math.exp(-event.deltaY / 180), { x: event.clientX - box.left, y: event.clientY - box.top });
    }, { passive: false });
    this.addEventListener('keydown', (event) => this.#key(event));
  }

  /** The zoom at which one pixel of the picture is one of the screen. */
  #own() {
    return this.natural / (this.fitWidth * devicePixelRatio) || 1;
  }

  #down(event) {
    if (event.button !== 0) return;
    this.view.setPointerCapture(event.pointerId);
    this.pointers.set(event.pointerId, { x: event.clientX, y: event.clientY });
    if (this.pointers.size > 1) return;
    const onHandle = this.handle.contains(event.target);
    this.dragging = this.comparing && (onHandle || this.zoom <= 1.001) ? 'split' : 'pan';
    if (this.dragging === 'split') {
      if (onHandle) this.handle.focus({ preventScroll: true });
      this.#splitAt(event.clientX);
    }
  }

  #move(event) {
    const last = this.pointers.get(event.pointerId);
    if (!last) return;
    const here = { x: event.clientX, y: event.clientY };
    if (this.pointers.size === 2) this.#pinch(event.pointerId, here);
    else if (this.dragging === 'split') this.#splitAt(here.x);
    else if (this.dragging === 'pan') {
      this.pan.x += here.x - last.x;
      this.pan.y += here.y - last.y;
      this.layout();
    }
    this.pointers.set(event.pointerId, here);
  }

  #pinch(id, here) {
    const [, other] = [...this.pointers].find(([key]) => key !== id);
    const was = this.pointers.get(id);
    const distance = (a, b) => Math.hypot(a.x - b.x, a.y - b.y) || 1;
    const box = this.view.getBoundingClientRect();
    const middle = { x: (here.x + other.x) / 2 - box.left, y: (here.y + other.y) / 2 - box.top };
    this.zoomBy(distance(here, other) / distance(was, other), middle);
  }

  #key(event) {
    if (event.altKey || event.ctrlKey || event.metaKey) return;
    const act = event.target === this.handle ? this.#handleKey(event) : this.#viewKey(event);
    if (act) event.preventDefault();
  }

  #handleKey({ key, shiftKey }) {
    const step = shiftKey ? 10 : 2;
    const moves = { ArrowLeft: -step, ArrowDown: -step, ArrowRight: step, ArrowUp: step, PageDown: -10, PageUp: 10, Home: -100, End: 100 };
    if (!(key in moves)) return this.#zoomKey(key);
    this.split = Math.min(100, Math.max(0, this.split + moves[key]));
    this.layout();
    return true;
  }

  #viewKey({ key, target }) {
    const moves = { ArrowLeft: [60, 0], ArrowRight: [-60, 0], ArrowUp: [0, 60], ArrowDown: [0, -60] };
    if (target === this.view && this.zoom > 1.001 && key in moves) {
      this.pan.x += moves[key][0];
      this.pan.y += moves[key][1];
      this.layout();
      return true;
    }
    return this.#zoomKey(key);
  }

  #zoomKey(key) {
    const acts = { '+': () => this.zoomBy(1.5), '=': () => this.zoomBy(1.5), '-': () => this.zoomBy(1 / 1.5), 0: () => this.fit(), Escape: () => this.fit(), 1: () => this.zoomBy(this.#own() / this.zoom) };
    if (!(key in acts)) return false;
    acts[key]();
    return true;
  }

  /** Dims what is still to do and clears what is done, in the tiles that the work uses. */
  #drawVeil() {
    const { state, job, plan, sent } = this.item;
    const progress = job?.progress ?? {};
    const uploading = state === 'uploading';
    const total = uploading ? 1 : Math.max(1, progress.total || plan?.tiles || 1);
    const done = state === 'running' ? progress.done || 0 : 0;
    const columns = Math.max(1, Math.round(Math.sqrt(total * this.ratio)));
    const rows = Math.ceil(total / columns);
    const [w, ht] = [960, Math.max(1, Math.round(960 / this.ratio))];
    if (this.veil.width !== w || this.veil.height !== ht) Object.assign(this.veil, { width: w, height: ht });
    const ink = this.veil.getContext('2d');
    ink.clearRect(0, 0, w, ht);
    ink.fillStyle = 'rgb(12 12 12 / 0.58)';
    if (uploading) {
      ink.fillRect(w * sent, 0, w * (1 - sent), ht);
      return;
    }
    for (let i = done; i < total; i++) {
      const [column, row] = [i % columns, Math.floor(i / columns)];
      const across = Math.min(columns, total - row * columns); // the last row may have fewer, wider ones
      const x = Math.round((column * w) / across);
      const y = Math.round((row * ht) / rows);
      const gap = total > 1 ? 1.5 : 0;
      ink.fillRect(x, y, Math.round(w / across) - gap, Math.round(ht / rows) - gap);
    }
  }
}

customElements.define('musa-viewer', Viewer);
