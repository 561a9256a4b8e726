// <musa-drop>: takes pictures in, by dropping, pasting, picking or the camera, and hands
// them on as one "musa-files" event. It listens on the whole page.

import { h } from './dom.js';
import { t } from './words.js';

const takes = 'image/jpeg,image/png,image/webp,image/avif,image/heic,image/heif,image/gif,image/tiff';

class Drop extends HTMLElement {
  depth = 0;

  connectedCallback() {
    this.files = this.#input({ accept: takes, multiple: true });
    this.camera = this.#input({ accept: 'image/*', capture: 'environment' });
    this.#reveal('[data-pick]')?.addEventListener('click', () => this.pick());
    this.#reveal('[data-camera]')?.addEventListener('click', () => this.camera.click());
    this.#reveal('[data-hint]');
    document.addEventListener('dragenter', (event) => this.#enter(event));
    document.addEventListener('dragover', (event) => this.#carries(event) && event.preventDefault());
    document.addEventListener('dragleave', (event) => this.#carries(event) && this.#over(this.depth - 1));
    document.addEventListener('drop', (event) => this.#drop(event));
    document.addEventListener('paste', (event) => this.#paste(event));
  }

  pick() {
    this.files.click();
  }

  #reveal(selector) {
    const element = this.querySelector(selector);
    if (element) element.hidden = false;
    return element;
  }

  #input(attributes) {
    const input = h('input', { type: 'file', hidden: true, ...attributes });
    input.addEventListener('change', () => {
      this.#give([...input.files]);
      input.value = ''; // the same file may be picked again
    });
    this.append(input);
    return input;
  }

  #carries(event) {
    return [...(event.dataTransfer?.types ?? [])].includes('Files');
  }

  #enter(event) {
    if (!this.#carries(event)) return;
    event.preventDefault();
    this.#over(this.depth + 1, event.dataTransfer.items?.length || 1);
  }

  #over(depth, count = 1) {
    this.depth = Math.max(0, depth);
    document.body.classList.toggle('dropping', this.depth > 0);
    if (this.depth === 0) {
      this.veil?.remove();
      this.veil = null;
    } else if (!this.veil && this.offsetParent === null) {
      // The empty studio shows its own drop area; the bench is covered by a veil.
      this.veil = h('div', { class: 'veil-drop' }, t('js.drop', { n: count }));
      document.body.append(this.veil);
    }
  }

  #drop(event) {
    if (!this.#carries(event)) return;
    event.preventDefault();
    this.#over(0);
    this.#give([...event.dataTransfer.files]);
  }

  #paste(event) {
    const files = [...(event.clipboardData?.files ?? [])];
    if (!files.length) return;
    event.preventDefault();
    this.#give(files);
  }

  #give(files) {
    if (files.length) this.dispatchEvent(new CustomEvent('musa-files', { bubbles: true, detail: files }));
  }
}

customElements.define('musa-drop', Drop);
