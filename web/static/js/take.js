// Taking everything out, and bringing it in.

import { Problem } from './api.js';

/** Downloads the whole archive. A refusal is read first: a download could not say it. */
export async function take() {
  const asked = new AbortController();
  const response = await fetch('/api/me/export', { signal: asked.signal }).catch(() => {
    throw new Problem(0, { code: 'offline' });
  });
  if (!response.ok) throw new Problem(response.status, await response.json().catch(() => ({})));
  asked.abort(); // it is there for the asking; the browser itself streams it to a file
  const link = document.createElement('a');
  link.href = '/api/me/export';
  link.download = '';
  link.click();
}

/** Sends an archive; tells how much of it has gone up. Returns what came of it. */
export function bring(file, onProgress) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open('POST', '/api/me/import');
    request.setRequestHeader('Content-Type', 'application/zip');
    request.responseType = 'json';
    request.upload.onprogress = (event) => event.lengthComputable && onProgress(event.loaded / event.total);
    request.onload = () => (request.status < 300 ? resolve(request.response) : reject(new Problem(request.status, request.response ?? {})));
    request.onerror = () => reject(new Problem(0, { code: 'offline' }));
    request.send(file);
  });
}

