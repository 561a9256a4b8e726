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
    this.addEventListener('change', (event) => this.attempt(async () => {
      const { value } = event.target;
      const { answer: kind } = event.target.closest('[data-answer]').dataset;
      const { way } = event.target.closest('[data-way]').dataset;
      this.show(await call('PUT', '/api/me/mails', { kinds: { [kind]: { [way]: value } } }));
      this.say(t(`mails.${value}.${way}`, { what: named('mails.kind', kind) }));
    }));
  }

  show({ sends, kinds }) {
    this.find('silent').hidden = sends;
    for (const one of kinds) {
      const place = this.querySelector(`[data-answer="${one.kind}"]`);
      if (!place) continue;
      for (const way of ['mail', 'page']) {
        const radio = place.querySelector(`[data-way="${way}"] input[value="${one[way] === 'asked' ? 'yes' : one[way]}"]`);
        if (radio) radio.checked = true;
      }
      const asked = place.querySelector('[data-asked]');
      if (one.mail === 'asked' && !asked) place.querySelector('[data-way="mail"]').append(h('p', { class: 'quiet', 'data-asked': true }, t('mails.asked')));
      else if (one.mail !== 'asked') asked?.remove();
    }
  }
}

customElements.define('musa-mails', Mails);
