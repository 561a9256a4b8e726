// <musa-theme>: follows the system until the person chooses. The choice is kept in a cookie
// only where they said yes to that; else it lasts as long as this page.

import { keeps } from './api.js';
import { t } from './words.js';

/**
 * Keeps a choice in this browser, where that is allowed, and returns whether the browser did. A
 * choice that is not kept is no fault: it lasts as long as this page.
 */
export async function keep(choice, cookie) {
  if (!document.documentElement.hasAttribute('data-keeps')) return false;
  try {
    await fetch('/preferences', { method: 'POST', body: new URLSearchParams(choice) });
    return await keeps(cookie);
  } catch {
    return false;
  }
}

class Theme extends HTMLElement {
  connectedCallback() {
    const fieldset = this.querySelector('fieldset');
    fieldset.hidden = false;
    fieldset.addEventListener('change', (event) => this.choose(event.target.value));
  }

  async choose(theme) {
    const root = document.documentElement;
    if (theme === 'system') delete root.dataset.theme;
    else root.dataset.theme = theme;
    const notices = document.querySelector('musa-notices');
    notices.drop('theme');
    const kept = await keep({ theme }, 'musa_theme');
    if (kept || theme === 'system' || !root.hasAttribute('data-keeps')) return;
    notices.show('theme', { icon: 'warn', words: t('js.theme.unkept'), onClose: () => {} });
  }
}

customElements.define('musa-theme', Theme);
