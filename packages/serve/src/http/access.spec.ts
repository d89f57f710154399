import { type Access, authorize, checkAccess } from './access.js';

const local: Access = { host: '127.0.0.1' };
const locked: Access = { host: '0.0.0.0', apiKey: 'secret' };

describe('checkAccess', () => {
  it.each(['127.0.0.1', '127.3.2.1', 'localhost', '::1'])('%s needs no key', (host) => {
    expect(() => checkAccess({ host }, false)).not.toThrow();
  });

  it.each(['0.0.0.0', '::', '192.168.1.5', 'example.org', '127.0.0.1.example.org'])('%s needs one', (host) => {
    expect(() => checkAccess({ host }, false)).toThrow(/can be reached from other machines: set LETHE_API_KEY/);
    expect(() => checkAccess({ host }, true)).not.toThrow();
    expect(() => checkAccess({ host, apiKey: 'secret' }, false)).not.toThrow();
  });

  it('an empty key is none', () => {
    expect(() => checkAccess({ host: '127.0.0.1', apiKey: '' }, true)).toThrow(/received an empty one/);
  });
});

describe('authorize', () => {
  it('takes the key as a bearer token', () => {
    for (const authorization of ['Bearer secret', 'bearer  secret ']) {
      expect(() => authorize(locked, { authorization })).not.toThrow();
    }
  });

  it.each([
    [undefined, /received none/],
    ['secret', /received none/],
    ['Bearer secre', /received another key/],
    ['Bearer secret2', /received another key/],
  ])('refuses %j with 401', (authorization, message) => {
    const check = (): void => authorize(locked, authorization === undefined ? {} : { authorization });
    expect(check).toThrow(message);
    expect(check).toThrow(expect.objectContaining({ status: 401 }) as Error);
  });

  it('without a key, answers on loopback only to its names', () => {
    for (const host of ['localhost:8000', '127.0.0.1', '[::1]:8000', 'LOCALHOST']) {
      expect(() => authorize(local, { host })).not.toThrow();
    }
    expect(() => authorize(local, { host: 'evil.example:8000' })).toThrow(/received evil\.example:8000; or set a key/);
    expect(() => authorize({ host: '0.0.0.0' }, { host: 'server.example' })).not.toThrow();
  });
});
