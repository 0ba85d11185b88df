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
    const response = await fetch('/v1/sessions/current');
    if (response.ok) {
      this.role = (await response.json()).role;
      this.known = 'in';
    } else {
      this.known = 'out';
    }
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
    this.role = (await response.json()).role;
    this.known = 'in';
    this.again = false;
    for (const go of this.#waiting.splice(0)) go();
    return null;
  }

  async end(): Promise<void> {
    await fetch('/v1/sessions/current', { method: 'DELETE' });
    location.assign('/');
  }
})();
