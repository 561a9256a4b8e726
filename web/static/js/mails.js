// <musa-mails>: which news a person wants, and by which way. A yes to mails is confirmed by the
// person from their address; a yes to the page, and each no, counts at once. Guests have no address.

import { call } from './api.js';
import { h } from './dom.js';
import { named } from './named.js';
import { Part } from './part.js';
import { t } from './words.js';

class Mails extends Part {
  async begin() {
    for (const place of this.querySelectorAll('[data-way="mail"]')) place.hidden = this.me.tier === 'guest';
    this.show(await call('GET', '/api/me/mails'));
    this.addEventListener('change', async (event) => {
      const { value } = event.target;
      const { answer: kind } = event.target.closest('[data-answer]').dataset;
      const { way } = event.target.closest('[data-way]').dataset;
      const said = await this.attempt(() => call('PUT', '/api/me/mails', { kinds: { [kind]: { [way]: value } } }));
      this.show(said ?? this.shown); // an answer that did not get through is not shown as given
      if (said) this.say(t(`mails.${value}.${way}`, { what: named('mails.kind', kind) }));
    });
  }

  show(mails) {
    const { sends, kinds } = this.shown = mails;
    this.find('silent').hidden = sends;
    for (const one of kinds) {
      const place = this.querySelector(`[data-answer="${one.kind}"]`);
      if (!place) continue;
      for (const way of ['mail', 'page']) {
        const radio = place.querySelector(`[data-way="${way}"] input[value="${one[way] === 'asked' ? 'yes' : one[way]}"]`);
        if (radio) radio.checked = true;
        else for (const other of place.querySelectorAll(`[data-way="${way}"] input`)) other.checked = false; // never asked
      }
      const asked = place.querySelector('[data-asked]');
      if (one.mail === 'asked' && !asked) place.querySelector('[data-way="mail"]').append(h('p', { class: 'quiet', 'data-asked': true }, t('mails.asked')));
      else if (one.mail !== 'asked') asked?.remove();
    }
  }
}

customElements.define('musa-mails', Mails);
