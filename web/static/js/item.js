// One picture on its way: from the person's file, through a job, to a result and its end.
// It holds no element; those who show it listen for "change".

import { Problem, call, content, upload, watch } from './api.js';

export class Item extends EventTarget {
  state = 'waiting'; // uploading ready starting queued running done failed erasing gone
  original = null; // the server's asset of the upload
  output = null; // the server's asset of the result
  file = null; // the browser's own copy
  localURL = ''; // for the comparison, alive until the page closes
  job = null;
  plan = null;
  problem = null;
  sent = 0;
  save = false;
  ratio = 1.4;
  #stop = null;
  #abort = null;
  #planned = 0;

  static fromFile(file) {
    const item = new Item();
    item.file = file;
    item.name = file.name;
    item.localURL = URL.createObjectURL(file);
    return item;
  }

  static fromAsset(asset) {
    const item = new Item();
    item.name = asset.name || '';
    if (asset.kind === 'output') item.output = asset;
    else item.original = asset;
    item.#settle(asset);
    return item;
  }

  static fromJob(job) {
    const item = new Item();
    item.original = job.inputs?.[0] ?? null;
    item.name = item.original?.name ?? '';
    item.#take(job);
    item.follow(job.id);
    return item;
  }

  /** The asset that the person sees: the result, or the original until there is one. */
  get asset() {
    return this.output ?? this.original;
  }

  /** Whether the work can be ordered again; a job that ended takes an unsaved original with it. */
  get repeatable() {
    return Boolean(this.file) || (this.original?.state === 'active' && (this.original.saved || !this.job));
  }

  get open() {
    return this.state === 'queued' || this.state === 'running' || this.state === 'starting';
  }

  get originalURL() {
    if (this.localURL) return this.localURL;
    return this.original?.state === 'active' ? content(this.original) : '';
  }

  get outputURL() {
    return this.output?.state === 'active' ? content(this.output) : '';
  }

  get thumbURL() {
    const shown = this.output ?? (this.localURL ? null : this.original);
    if (shown?.state === 'active') return content(shown, shown.thumb ? '?role=thumb' : '');
    return this.output ? '' : this.localURL;
  }

  change(values = {}) {
    Object.assign(this, values);
    const { width, height } = this.asset ?? {};
    if (width && height) this.ratio = width / height;
    this.dispatchEvent(new Event('change'));
  }

  async send() {
    this.#abort = new AbortController();
    this.change({ state: 'uploading', problem: null, sent: 0 });
    try {
      const original = await upload(this.file, {
        save: this.save,
        signal: this.#abort.signal,
        onProgress: (share) => this.change({ sent: share }),
      });
      this.change({ original, state: 'ready' });
    } catch (problem) {
      this.#fail(problem);
    }
  }

  /** Asks what an order would do. Only the latest question's answer counts. */
  async ask(order) {
    const question = ++this.#planned;
    try {
      const plan = await call('POST', '/api/plans', this.#body(order));
      if (question === this.#planned) this.change({ plan, problem: null });
    } catch (problem) {
      if (question === this.#planned) this.change({ plan: null, problem });
    }
  }

  async start(order) {
    this.change({ state: 'starting', problem: null });
    try {
      const job = await call('POST', '/api/jobs', this.#body(order));
      this.#take(job);
      this.follow(job.id);
    } catch (problem) {
      // What an order was refused for leaves the picture where it was: ready for another.
      this.change({ state: this.original ? 'ready' : 'failed', problem });
    }
  }

  follow(id) {
    this.#stop?.();
    this.#stop = watch(id, (job) => this.#take(job), (problem) => this.#fail(problem));
  }

  async cancel() {
    if (this.state === 'uploading') {
      this.#abort?.abort();
      return;
    }
    if (!this.job) return;
    try {
      await call('DELETE', `/api/jobs/${this.job.id}`);
    } catch (problem) {
      this.change({ problem });
    }
  }

  async keepOriginal(saved) {
    this.save = saved;
    if (!this.original) return;
    try {
      this.change({ original: await call('PATCH', `/api/assets/${this.original.id}`, { saved }) });
    } catch (problem) {
      this.change({ problem });
    }
  }

  /** Orders the erasure of what is shown; it can be taken back until undo_until. */
  async erase() {
    this.#stop?.();
    try {
      const answer = await call('DELETE', `/api/assets/${this.asset.id}`);
      Object.assign(this.asset, answer);
      this.change({ state: 'erasing', erasingSince: new Date().toISOString(), problem: null });
    } catch (problem) {
      this.change({ problem });
    }
  }

  /** The job whose words can go: it has ended, and they have not gone yet. */
  get wordsOf() {
    return this.open || this.wordless ? '' : (this.output?.job ?? this.job?.id ?? '');
  }

  /** Erases what was said for the picture; that cannot be taken back. */
  async eraseWords() {
    try {
      await call('DELETE', `/api/jobs/${this.wordsOf}/prompt`);
      this.wordless = true;
      if (this.output) await this.refresh();
      this.change({ problem: null });
    } catch (problem) {
      this.change({ problem });
    }
  }

  /** Orders the erasure of the original and of all that was made from it, also elsewhere on the shelf. */
  async eraseAll() {
    this.#stop?.();
    try {
      Object.assign(this.original, await call('DELETE', `/api/assets/${this.original.id}?with=derived`));
      await this.refresh();
      this.dispatchEvent(new Event('family'));
    } catch (problem) {
      this.change({ problem });
    }
  }

  async undo() {
    try {
      if (this.output && this.original?.state === 'erasing') {
        this.original = await call('PATCH', `/api/assets/${this.original.id}`, { erasing: false });
      }
      const asset = await call('PATCH', `/api/assets/${this.asset.id}`, { erasing: false });
      if (this.output) this.output = asset;
      else this.original = asset;
      this.#settle(asset);
      this.change();
    } catch (problem) {
      this.change({ problem });
      await this.refresh();
    }
  }

  /** Asks the server how the shown asset stands. */
  async refresh() {
    if (!this.asset) return;
    try {
      const asset = await call('GET', `/api/assets/${this.asset.id}`);
      if (this.output) this.output = asset;
      else this.original = asset;
      this.#settle(asset);
    } catch (problem) {
      if (problem.status !== 410 && problem.status !== 404) return;
      Object.assign(this.asset, { state: 'erased', reason: problem.reason });
      this.state = 'gone';
    }
    this.change();
  }

  /** Frees the browser's copy. */
  forget() {
    this.#stop?.();
    if (this.localURL) URL.revokeObjectURL(this.localURL);
    this.localURL = '';
  }

  #body({ prompt, params }) {
    return { kind: 'enhance', inputs: [this.original.id], prompt, params };
  }

  #settle(asset) {
    if (asset.state === 'active') this.state = asset.kind === 'output' ? 'done' : 'ready';
    else this.state = asset.state === 'erasing' ? 'erasing' : 'gone'; // hidden, erased or purged
    if (this.state === 'erasing') this.erasingSince ??= new Date().toISOString();
  }

  #take(job) {
    this.job = job;
    if (job.plan) this.plan = { ...this.plan, ...job.plan };
    if (job.inputs?.[0]) this.original = { ...this.original, ...job.inputs[0] };
    switch (job.state) {
      case 'succeeded':
        this.output = job.outputs?.[0] ?? null;
        return this.change({ state: 'done' });
      case 'cancelled':
        return this.change({ state: 'failed', problem: new Problem(0, { code: 'cancelled' }) });
      case 'failed':
      case 'blocked':
        return this.change({
          state: 'failed',
          problem: new Problem(0, { code: job.error?.code, detail: job.error?.message }),
        });
      default:
        return this.change({ state: job.state });
    }
  }

  #fail(problem) {
    if (!(problem instanceof Problem)) throw problem;
    this.change({ state: 'failed', problem });
  }
}
