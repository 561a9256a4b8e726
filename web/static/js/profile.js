// <musa-profile>: who a person says they are, and where mails go.

import { call } from './api.js';
import { say } from './dom.js';
import { onSubmit } from './form.js';
import { Part } from './part.js';
import { proved } from './prove.js';
import { t } from './words.js';

class Profile extends Part {
  members = true; // a guest has none of it

  async begin() {
    if (this.me.tier === 'guest') {
      this.hidden = true;
      return;
    }
    onSubmit(this.form('profile'), async (given) => {
      this.show(await call('PATCH', '/api/me/profile', given));
      this.say(t('profile.saved'));
    });
    const address = this.form('address');
    if (address) {
      onSubmit(address, async (given) => {
        await proved(() => call('POST', '/api/me/address', given));
        address.reset();
        this.say(t('profile.address.sent'));
      });
    }
    this.show(await call('GET', '/api/me/profile'));
  }

  show(profile) {
    for (const field of this.form('profile').elements) if (field.name) field.value = profile[field.name] ?? '';
    const email = this.find('email');
    if (email) say(email, profile.email || t('profile.address.none'));
  }
}

customElements.define('musa-profile', Profile);
