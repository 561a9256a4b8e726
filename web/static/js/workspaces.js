// <musa-workspaces>: the workspaces that a person belongs to, who else does, and what they all
// have to keep to.

import { call } from './api.js';
import { h, once } from './dom.js';
import { onSubmit } from './form.js';
import { at, named } from './named.js';
import { Part, act } from './part.js';
import { proved } from './prove.js';
import { t } from './words.js';

const roles = ['owner', 'admin', 'editor', 'viewer'];

class Workspaces extends Part {
  members = true;

  async begin() {
    if (this.me.tier === 'guest') {
      this.hidden = true;
      return;
    }
    onSubmit(this.form('create'), async (given, form) => {
      await call('POST', '/api/workspaces', given);
      form.reset();
      await this.load();
      this.say(t('work.created'));
    });
    await this.load();
  }

  async load() {
    const { workspaces } = await call('GET', '/api/workspaces');
    const lines = await Promise.all(workspaces.map((space) => (space.closed ? this.closed(space) : this.space(space))));
    this.find('none').hidden = lines.length > 0;
    this.find('spaces').replaceChildren(...lines);
  }

  head(space, state) {
    return h('p', { class: 'case' }, space.name && h('strong', {}, space.name), h('span', { class: 'state' }, state), h('code', {}, space.id));
  }

  /** A workspace that was erased: until when it can be taken back, and the receipt, for who may. */
  async closed(space) {
    const inside = { 'Musa-Workspace': space.id };
    const closing = space.role === 'owner' ? await call('GET', '/api/me/erasure', undefined, inside) : null;
    const over = closing && !(Date.parse(closing.undo_until) > Date.now());
    return h('li', { 'data-workspace': space.id }, this.head(space, t('work.closed')),
      closing && h('p', {}, over ? t('me.closed.over') : t('me.closed.until', { time: at(closing.undo_until) })),
      closing && h('p', { class: 'row' }, h('a', { class: 'press', href: `/receipts/${closing.receipt}#${closing.capability}` }, t('me.closed.receipt')),
        !over && act(t('me.closed.reopen'), (event) => once(event.currentTarget, () => this.attempt(async () => {
          await call('DELETE', '/api/me/erasure', undefined, inside);
          await this.load();
          this.say(t('work.reopened'));
        })))));
  }

  space(space) {
    const room = h('div', { class: 'room' });
    const leads = space.role === 'owner' || space.role === 'admin';
    return h('li', { 'data-workspace': space.id },
      this.head(space, named('work.role', space.role)),
      h('p', { class: 'row' },
        act(t('work.members'), () => this.attempt(() => this.crew(space, room))),
        leads && act(t('work.invite'), () => this.invite(space, room)),
        leads && act(t('work.enforced'), () => this.enforced(space, room)),
        leads && act(t('work.rename'), () => this.rename(space, room)),
        leads && space.agreement && h('a', { class: 'press', href: `/api/workspaces/${space.id}/agreement?lang=${document.documentElement.lang}`, download: '' }, t('work.agreement')),
        space.role === 'owner' && act(t('work.erase'), () => this.erase(space, room), 'last')), room);
  }

  async crew(space, room) {
    const leads = space.role === 'owner' || space.role === 'admin';
    const { members } = await call('GET', `/api/workspaces/${space.id}/members`);
    const { invitations } = leads ? await call('GET', `/api/workspaces/${space.id}/invitations`) : { invitations: [] };
    room.replaceChildren(h('ul', { class: 'trail wide' }, members.map((member) => {
      const name = member.name || member.subject;
      const line = h('li', {}, h('span'), h('div', { class: 'entry' }, h('p', {}, h('strong', {}, name)),
        leads ? h('select', { 'aria-label': t('work.role.of', { name }), change: (event) => this.appoint(space, member, event.target) }, roles.map((role) => h('option', { value: role, selected: role === member.role }, named('work.role', role)))) : h('span', { class: 'quiet' }, named('work.role', member.role)),
        (leads || member.subject === this.me.subject) && act(member.subject === this.me.subject ? t('work.leave') : t('part.remove'), () => this.attempt(async () => {
          await call('DELETE', `/api/workspaces/${space.id}/members/${member.subject}`);
          if (member.subject === this.me.subject) await this.load();
          else line.remove();
          this.say(t(member.subject === this.me.subject ? 'work.left' : 'work.removed', { name }));
        }), 'last')));
      return line;
    }), invitations.map((one) => h('li', {}, h('span'), h('div', { class: 'entry' }, h('p', {}, h('strong', {}, one.email), h('span', { class: 'quiet' }, t('work.invited.until', { role: named('work.role', one.role), time: at(one.expires) }))),
      act(t('work.uninvite'), () => this.attempt(async () => {
        await call('DELETE', `/api/workspaces/${space.id}/invitations/${one.id}`);
        await this.crew(space, room);
        this.say(t('work.uninvited', { email: one.email }));
      })))))));
  }

  /** Gives a member a role; where that fails they are shown in the one that they have. */
  async appoint(space, member, select) {
    const role = select.value;
    const done = await this.attempt(() => call('PATCH', `/api/workspaces/${space.id}/members/${member.subject}`, { role }).then(() => true));
    if (!done) {
      select.value = member.role;
      return;
    }
    member.role = role;
    if (member.subject === this.me.subject) await this.attempt(() => this.load()); // what they may do there is another now
    this.say(t('work.changed'));
  }

  rename(space, room) {
    const id = `name-${space.id}`;
    const form = h('form', { novalidate: true },
      h('div', { class: 'field' }, h('label', { for: id }, t('work.name')), h('input', { id, name: 'name', value: space.name, required: true, maxlength: '200' }), h('p', { class: 'fault', 'data-fault': 'name', hidden: true })),
      h('p', { class: 'fault', 'data-fault': '', role: 'alert', hidden: true }), h('p', { class: 'row' }, h('button', { type: 'submit', class: 'press primary' }, t('part.save')), act(t('part.cancel'), () => room.replaceChildren())));
    onSubmit(form, async (given) => {
      await call('PATCH', `/api/workspaces/${space.id}`, given);
      await this.load();
      this.say(t('work.renamed'));
    });
    room.replaceChildren(form);
    form.elements.name.focus();
  }

  invite(space, room) {
    const id = `invite-${space.id}`;
    const form = h('form', { novalidate: true },
      h('div', { class: 'field' }, h('label', { for: id }, t('work.invite.email')), h('input', { id, name: 'email', type: 'email', required: true, maxlength: '254' }), h('p', { class: 'fault', 'data-fault': 'email', hidden: true })),
      h('div', { class: 'field' }, h('label', { for: `${id}-role` }, t('work.invite.role')), h('select', { id: `${id}-role`, name: 'role' }, roles.slice(1).map((role) => h('option', { value: role, selected: role === 'editor' }, named('work.role', role))))),
      h('p', { class: 'fault', 'data-fault': '', role: 'alert', hidden: true }), h('p', { class: 'row' }, h('button', { type: 'submit', class: 'press primary' }, t('work.invite.act')), act(t('part.cancel'), () => room.replaceChildren())));
    onSubmit(form, async (given) => {
      await call('POST', `/api/workspaces/${space.id}/invitations`, given);
      room.replaceChildren();
      this.say(t('work.invited'));
    });
    room.replaceChildren(form);
    form.elements.email.focus();
  }

  /** What the workspace enforces upon all in it, as far as the policy lets it. */
  enforced(space, room) {
    const now = space.enforced;
    const may = now.may_enforce;
    const control = {
      no_training: () => this.switch('no_training', now.no_training),
      shortest_retention: () => this.switch('shortest_retention', now.shortest_retention),
      region: () => this.text(space, 'region', now.region ?? ''),
      processors: () => this.text(space, 'processors', (now.processors ?? []).join(', ')),
    };
    const logs = this.hasAttribute('data-log');
    const form = h('form', { novalidate: true }, may.length ? may.map((name) => control[name]()) : h('p', { class: 'quiet' }, t('work.enforced.none')),
      logs && this.switch('unlogged', now.interaction_log_off),
      h('p', { class: 'fault', 'data-fault': '', role: 'alert', hidden: true }),
      h('p', { class: 'row' }, (logs || may.length > 0) && h('button', { type: 'submit', class: 'press primary' }, t('part.save')), act(t('part.cancel'), () => room.replaceChildren())));
    onSubmit(form, async ({ unlogged: off, ...enforced }) => {
      if ('processors' in enforced) enforced.processors = enforced.processors.split(',').map((name) => name.trim()).filter(Boolean);
      if (may.length) await call('PATCH', `/api/workspaces/${space.id}`, { enforced });
      if (logs && off !== now.interaction_log_off) await call('PUT', '/api/me/log', { off }, { 'Musa-Workspace': space.id });
      room.replaceChildren();
      await this.load();
      this.say(t('work.enforced.saved'));
    });
    room.replaceChildren(form);
    form.querySelector('input')?.focus();
  }

  switch(name, on) {
    return h('label', { class: 'switch' }, h('input', { type: 'checkbox', role: 'switch', name, checked: Boolean(on) }), h('span', { class: 'slot', 'aria-hidden': 'true' }),
      h('span', {}, h('strong', {}, named('enforced', name)), h('span', { class: 'quiet' }, named('enforced.text', name))));
  }

  text(space, name, value) {
    const id = `${name}-${space.id}`;
    return h('div', { class: 'field' }, h('label', { for: id }, named('enforced', name)), h('input', { id, name, value }), h('p', { class: 'quiet' }, named('enforced.text', name)));
  }

  erase(space, room) {
    const form = h('form', { class: 'told last', novalidate: true }, h('span'), h('div', {}, h('p', {}, t('work.erase.sure', { name: space.name })), h('p', { class: 'fault', 'data-fault': '', role: 'alert', hidden: true }),
      h('p', { class: 'row' }, h('button', { type: 'submit', class: 'press last' }, t('work.erase.act')), act(t('part.cancel'), () => room.replaceChildren()))));
    onSubmit(form, async () => {
      const closing = await proved(() => call('DELETE', `/api/workspaces/${space.id}`));
      await this.load();
      this.say(closing.undo_until > closing.closed ? t('work.erased.until', { time: at(closing.undo_until) }) : t('work.erased'));
    });
    room.replaceChildren(form);
    form.querySelector('button').focus();
  }
}

customElements.define('musa-workspaces', Workspaces);
