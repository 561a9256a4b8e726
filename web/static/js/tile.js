// <musa-tile>: one picture on the shelf: its own ratio, its life ring, its end in words,
// and, when it went, a quiet tombstone.

import { goneWords, onTick, wentWords } from './clock.js';
import { barePress, glyph, h, say } from './dom.js';
import { served, t } from './words.js';

class Tile extends HTMLElement {
  /** Binds the tile to its picture; `onPick` puts it on the stage. */
  bind(item, onPick) {
    this.item = item;
    this.onPick = onPick;
    item.addEventListener('change', this);
    this.render();
  }

  connectedCallback() {
    this.stop = onTick(() => this.words());
  }

  disconnectedCallback() {
    this.stop?.();
  }

  handleEvent() {
    this.render();
  }

  set current(yes) {
    this.toggleAttribute('data-current', yes);
    this.button?.setAttribute('aria-current', String(yes));
  }

  render() {
    const { item } = this;
    this.parentElement?.style.setProperty('--ratio', String(Math.min(2.6, Math.max(0.55, item.ratio))));
    const kind = item.state === 'gone' ? 'tomb' : 'thumb';
    if (kind !== this.kind) this.#build(kind);
    this.button.setAttribute('aria-label', t('js.tile.label', { name: item.name || t('js.picture'), state: this.stateWords() }));
    this.classList.toggle('erasing', item.state === 'erasing');
    if (kind === 'thumb') this.#showPicture();
    this.#showRing();
    this.#showAct();
    this.words();
  }

  #build(kind) {
    this.kind = kind;
    this.img = h('img', { alt: '', loading: 'lazy', decoding: 'async', draggable: 'false' });
    this.img.addEventListener('error', () => {
      this.img.failed = this.img.getAttribute('src');
      this.render();
    });
    this.img.addEventListener('load', () => {
      const { naturalWidth: w, naturalHeight: ht } = this.img;
      if (ht && !this.item.asset?.width) this.item.ratio = w / ht;
      this.parentElement?.style.setProperty('--ratio', String(Math.min(2.6, Math.max(0.55, this.item.ratio))));
    });
    this.meter = h('span', { class: 'meter', hidden: true });
    this.blank = glyph('picture');
    this.ring = h('musa-ring', {});
    this.text = h('span', {});
    this.actSlot = h('span', {});
    this.act = '';
    const pick = () => this.onPick(this.item);
    if (kind === 'tomb') {
      this.button = h('button', { type: 'button', class: 'tomb', click: pick }, this.ring, this.text);
      this.replaceChildren(this.button);
    } else {
      this.button = h('button', { type: 'button', class: 'thumb', click: pick }, this.img, this.blank, this.meter);
      this.replaceChildren(this.button, h('div', { class: 'under' },
        h('p', { class: 'lives' }, this.ring, this.text), this.actSlot));
    }
    this.current = this.hasAttribute('data-current');
  }

  #showPicture() {
    const url = this.item.thumbURL;
    if (this.img.getAttribute('src') !== url) {
      if (url) this.img.src = url;
      else this.img.removeAttribute('src');
    }
    this.img.hidden = !url || this.img.failed === url;
    this.blank.toggleAttribute('hidden', !this.img.hidden);
    const share = this.share;
    this.meter.hidden = share === null;
    if (share !== null) this.meter.style.setProperty('--done', String(share));
  }

  get share() {
    const { state, sent, job } = this.item;
    if (state === 'uploading') return sent;
    if (state !== 'running') return null;
    const { done = 0, total = 0 } = job?.progress ?? {};
    return total ? done / total : 0;
  }

  #showRing() {
    const { item, ring } = this;
    const set = (values) => {
      for (const name of ['born', 'ends', 'value']) {
        if (values[name]) ring.setAttribute(name, values[name]);
        else ring.removeAttribute(name);
      }
      ring.dataset.kind = values.kind ?? 'life';
    };
    if (item.state === 'erasing') set({ born: item.erasingSince, ends: item.asset.undo_until, kind: 'undo' });
    else if (item.state === 'gone' || item.state === 'failed') set({ kind: 'over' });
    else if (this.share !== null) set({ value: String(this.share), kind: 'work' });
    else if (item.asset?.ends) set({ born: item.asset.created, ends: item.asset.ends });
    else set({ value: item.asset ? '1' : '' });
  }

  #showAct() {
    const { item } = this;
    const name = { done: 'erase', ready: 'erase', erasing: 'undo', uploading: 'stop', queued: 'stop', running: 'stop', failed: 'clear' }[item.state] ?? '';
    if (name === this.act) return;
    this.act = name;
    const acts = {
      erase: () => barePress('trash', t('js.erase'), () => item.erase()),
      undo: () => barePress('undo', t('js.undo'), () => item.undo()),
      stop: () => barePress('cross', t('js.cancel'), () => item.cancel()),
      clear: () => barePress('cross', t('js.clear'), () => this.dispatchEvent(new CustomEvent('musa-clear', { bubbles: true, detail: item }))),
    };
    const focused = this.actSlot.contains(document.activeElement);
    this.actSlot.replaceChildren(...(acts[name] ? [acts[name]()] : []));
    if (focused) this.actSlot.firstElementChild?.focus();
  }

  words() {
    if (this.text) say(this.text, this.stateWords());
  }

  stateWords() {
    const { state, asset, sent, job } = this.item;
    switch (state) {
      case 'uploading':
        return t('js.uploading', { n: Math.round(sent * 100) });
      case 'queued':
        return job?.position ? t('js.queued', { n: job.position }) : t('js.queued.next');
      case 'running':
        return t('js.running', { n: Math.round((this.share ?? 0) * 100) });
      case 'failed':
        return t('js.failed');
      case 'erasing':
        return t('js.erasing', { n: Math.max(0, Math.ceil((Date.parse(asset.undo_until) - Date.now()) / 1000)) || 0 });
      case 'gone':
        return wentWords(new Date(asset?.erased ?? asset?.ends ?? Date.now()));
      case 'ready':
      case 'done':
        return asset?.ends ? goneWords(new Date(asset.ends)) : served(asset?.ends_words) || t('js.ready');
      default:
        return t('js.waiting');
    }
  }
}

customElements.define('musa-tile', Tile);
