// What stands around every page: its lines of news, the question about cookies, colours
// and language.

import './consent.js';
import './notices.js';
import { keep } from './theme.js';

for (const link of document.querySelectorAll('a[data-lang]')) {
  link.addEventListener('click', async (event) => {
    if (!document.documentElement.hasAttribute('data-keeps')) return; // the link alone changes this page
    event.preventDefault();
    const here = new URL(location.href);
    here.searchParams.delete('lang');
    // What the browser does not keep stands in the address, of this page alone.
    location.replace(await keep({ lang: link.hreflang }, 'musa_lang') ? here : link.href);
  });
}

// Where the parts of an account do not fit, the one that is open stands in sight.
document.querySelector('.parts [aria-current]')?.scrollIntoView({ block: 'nearest', inline: 'center' });
