// The native API, as every client speaks it. A session begins with the person's first
// act, never when a page is merely read.

import { h } from './dom.js';
import { known, lang, t } from './words.js';

/** What went wrong, with words for the person and, where there is one, the next try. */
export class Problem extends Error {
  constructor(status, body = {}, retryAfter = 0) {
    super(body.code || `status ${status}`);
    this.status = status;
    this.code = body.code || '';
    this.field = body.field || '';
    this.reason = body.reason || '';
    this.detail = body.detail || '';
    this.retryAfter = retryAfter;
  }

  /** Known failures speak the page's language; others the server's own words. */
  get words() {
    for (const key of [this.code, `status${this.status}`]) {
      for (const kind of ['failure', 'fault']) if (key && known(`${kind}.${key}`)) return t(`${kind}.${key}`);
    }
    if (this.code === 'broken_off') return ''; // by the person: they know
    return this.detail || t('failure.unknown');
  }

  get passing() {
    return this.status === 0 || this.status === 429 || this.status === 503;
  }
}

let begun = null;
let made = false; // by this page, so that a refusal means a cookie that is not kept

/** What is somebody's own right or thread: it is never entered or looked for as a new guest. */
const bound = (path) => ['/api/rights', '/api/me/erasure', '/api/support/'].some((start) => path.startsWith(start));

/** Opens a guest session once; later calls wait for the same answer. */
export function session() {
  begun ??= call('POST', '/api/guests', { cookie: true }).then((guest) => {
    made = true;
    const mine = document.getElementById('nav-me');
    if (mine) mine.hidden = false; // there is an account to show from now on
    document.getElementById('nav-sign')?.setAttribute('hidden', '');
    return guest;
  }).catch((problem) => {
    begun = null;
    throw problem;
  });
  return begun;
}

/** Whether this browser kept a cookie. Scripts cannot see them; the server says what came. */
export async function keeps(cookie) {
  const { cookies } = await call('GET', '/preferences');
  return cookies.includes(cookie);
}

/** The page knows that a session exists: the server saw its cookie. */
export function resume() {
  begun = Promise.resolve();
}

/** Calls the API. A session that has ended meanwhile is begun anew, once. */
export async function call(method, path, body, headers) {
  let response = await send(method, path, body, headers);
  if (response.status === 401 && path !== '/api/guests' && begun) {
    if (bound(path)) throw over();
    await anew();
    response = await send(method, path, body, headers);
    if (response.status === 401) throw unkept();
  }
  if (!response.ok) throw await problemOf(response);
  return response.status === 204 ? null : response.json();
}

/** Goes on as a fresh guest where the session is over or its cookie was deleted, and says so. */
async function anew() {
  begun = null;
  await session();
  document.querySelector('musa-notices')?.show?.('session', {
    icon: 'bell', words: t('js.session.anew'), acts: [h('a', { class: 'press', href: '/signin' }, t('js.session.signin'))],
  });
}

/** The session is over and nothing was done: who has an account signs in, others begin again. */
function over() {
  begun = null;
  return made ? unkept() : new Problem(401, { code: 'session_over' });
}

/** A session was just begun and did not come back: its cookie is blocked. */
function unkept() {
  return new Problem(401, { code: 'session_unkept' });
}

// What the server writes to somebody later, it writes in the language of the page.
async function send(method, path, body, headers = {}) {
  const all = { 'Accept-Language': lang, ...headers };
  try {
    return await fetch(path, {
      method,
      headers: body === undefined ? all : { ...all, 'Content-Type': 'application/json' },
      body: body === undefined ? undefined : JSON.stringify(body),
    });
  } catch {
    throw new Problem(0, { code: 'offline' });
  }
}

/** Makes a token this browser's session. Whose it is, the answer says. */
export async function enter(token) {
  const response = await send('POST', '/api/session', undefined, { Authorization: `Bearer ${token}` });
  if (!response.ok) throw await problemOf(response);
  return response.json();
}

/** Ends this browser's session. One that is over already is left as well; whatever else fails leaves it open. */
export async function leave() {
  const response = await send('DELETE', '/api/session');
  if (!response.ok && response.status !== 401) throw await problemOf(response);
}

/** What is held, for a reason that is entered before it opens. */
export async function openHeld(id, reason) {
  const response = await send('POST', `/api/admin/holds/${id}/content`, { reason });
  if (!response.ok) throw await problemOf(response);
  return response.blob();
}

async function problemOf(response) {
  const body = await response.json().catch(() => ({}));
  return new Problem(response.status, body, Number(response.headers.get('Retry-After')) || 0);
}

/** Uploads a picture. */
export async function upload(file, how) {
  await session();
  try {
    return await carry(file, how);
  } catch (problem) {
    if (problem.status !== 401) throw problem;
  }
  await anew();
  return carry(file, how).catch((problem) => {
    throw problem.status === 401 ? unkept() : problem;
  });
}

/**
 * One try of an upload. XMLHttpRequest, because fetch cannot tell how much has gone up.
 * `save` goes first: the server reads the form as a stream.
 */
function carry(file, { save, signal, onProgress }) {
  const form = new FormData();
  form.append('save', String(save));
  form.append('file', file);
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open('POST', '/api/assets');
    request.responseType = 'json';
    request.upload.onprogress = (event) => event.lengthComputable && onProgress(event.loaded / event.total);
    request.onload = () => {
      if (request.status < 300) return resolve(request.response);
      const after = Number(request.getResponseHeader('Retry-After')) || 0;
      return reject(new Problem(request.status, request.response ?? {}, after));
    };
    request.onerror = () => reject(new Problem(0, { code: 'offline' }));
    request.onabort = () => reject(new Problem(0, { code: 'stopped' }));
    signal.addEventListener('abort', () => request.abort());
    request.send(form);
  });
}

export function content(asset, query = '') {
  return `/api/assets/${asset.id}/content${query}`;
}

const ended = new Set(['succeeded', 'failed', 'blocked', 'cancelled']);

/** Follows a job until it ends; asks again where the stream breaks. Returns the way to stop. */
export function watch(id, onJob, onProblem) {
  let stopped = false;
  let timer = 0;
  const source = new EventSource(`/api/jobs/${id}/events`);
  const stop = () => {
    stopped = true;
    clearTimeout(timer);
    source.close();
  };
  const take = (job) => {
    if (stopped) return;
    if (ended.has(job.state)) stop();
    onJob(job);
  };
  const ask = async () => {
    if (stopped) return;
    try {
      take(await call('GET', `/api/jobs/${id}`));
    } catch (problem) {
      if (problem.status === 404 || problem.status === 410) {
        stop();
        onProblem(problem);
        return;
      }
    }
    if (!stopped) timer = setTimeout(ask, 2000);
  };
  for (const kind of ['state', 'progress']) {
    source.addEventListener(kind, (event) => take(JSON.parse(event.data)));
  }
  // A stream that is only interrupted opens itself again; one that was refused does not.
  source.onerror = () => source.readyState === EventSource.CLOSED && !stopped && ask();
  return stop;
}
