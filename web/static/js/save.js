// Downloads: one by link, several as one archive.

import { content } from './api.js';
import { zip } from './zip.js';

/** The name under which a result is kept: the server's, which marks the original's. */
export function fileName({ output }) {
  return (output?.name || 'musa').replace(/[\\/:*?"<>|\x00-\x1f]/g, '_');
}

function give(href, name) {
  const link = document.createElement('a');
  link.href = href;
  link.download = name;
  link.click();
}

/** Fetches all results and hands them over as one archive. */
export async function saveAll(items, onDone) {
  const taken = new Map();
  const files = [];
  for (const item of items) {
    const response = await fetch(content(item.output, '?download=1'));
    if (response.ok) files.push({ name: unique(taken, fileName(item)), blob: await response.blob() });
    onDone(files.length);
  }
  if (!files.length) return 0;
  const url = URL.createObjectURL(await zip(files));
  give(url, 'musa.zip');
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
  return files.length;
}

function unique(taken, name) {
  const count = taken.get(name) ?? 0;
  taken.set(name, count + 1);
  return count === 0 ? name : name.replace(/(\.[^.]*)$/, ` (${count + 1})$1`);
}
