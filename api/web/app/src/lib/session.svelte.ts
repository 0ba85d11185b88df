// Who is logged in. A request that is answered 401 asks here, and goes on once somebody is.
import { route } from './route.svelte';

export type Refusal = 'wrong' | 'many' | 'code' | 'wrong-code';

export const session = new (class {
  known = $state<'unknown' | 'out' | 'in'>('unknown');
  role = $state('');
  again = $state(false);
  #waiting: (() => void)[] = [];

  /** Learn who is logged in. */
  async look(): Promise<void> {
    // The demonstration's address carries its account behind the #, which browsers send to nobody.
    const given = new URLSearchParams(location.hash.slice(1));
    if (given.has('password')) {
      history.replaceState(null, '', '/');
      route.path = '/';
      if ((await this.begin(given.get('name') ?? '', given.get('password') ?? '')) === null) return;
    }
    await this.#learn();
  }

  async #learn(): Promise<void> {
    const response = await fetch('/v1/sessions/current');
    const who = response.ok ? await response.json() : null;
    if (who?.needs_second_factor) return location.replace('/me/second-factor'); // a page that the service makes
    this.role = who?.role ?? '';
    this.known = who ? 'in' : 'out';
  }

  /** Wait until somebody has logged in again. */
  ask(): Promise<void> {
    this.again = this.known === 'in' || this.again;
    this.known = 'out';
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  /** Log in; return what is in the way, or null once somebody is in. */
  async begin(name: string, password: string, code: string | null = null): Promise<Refusal | null> {
    const response = await fetch('/v1/sessions', {
      method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify({ name, password, code }),
    });
    if (response.status === 429) return 'many';
    if (!response.ok) {
      const problem = await response.json().catch(() => ({}));
      return !problem.type?.endsWith(':code-needed') ? 'wrong' : code ? 'wrong-code' : 'code';
    }
    await this.#learn();
    this.again = false;
    for (const go of this.#waiting.splice(0)) go();
    return null;
  }

  async end(): Promise<void> {
    await fetch('/v1/sessions/current', { method: 'DELETE' });
    location.assign('/');
  }
})();
