// An identity provider for a test: npm's oidc-provider, over TLS, with its own pages to sign in.
// Arguments: issuer, key file, certificate file, client id, client secret, address to come back to.

import { readFileSync } from 'node:fs';
import { createServer } from 'node:https';

import { Provider } from 'oidc-provider';

const [issuer, key, cert, id, secret, back] = process.argv.slice(2);

const provider = new Provider(issuer, {
  clients: [{ client_id: id, client_secret: secret, redirect_uris: [back], grant_types: ['authorization_code'], response_types: ['code'] }],
  pkce: { required: () => true },
  claims: { openid: ['sub'], email: ['email', 'email_verified'], profile: ['name', 'picture'] },
  features: { devInteractions: { enabled: true } },
  cookies: { keys: ['a key for a test'] },
  async findAccount(_, sub) {
    return {
      accountId: sub,
      async claims() {
        return { sub, email: `${sub}@company.example`, email_verified: !sub.startsWith('unsure'), name: 'Planted Name', picture: 'https://planted.example/p.png' };
      },
    };
  },
});

const server = createServer({ key: readFileSync(key), cert: readFileSync(cert) }, provider.callback());
server.listen(0, '127.0.0.1', () => process.stdout.write(`${server.address().port}\n`));
