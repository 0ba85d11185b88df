import { explain, get } from './api';

/** What is listed at one address; whoever changes something of it is shown what is there then, or why it was refused. */
export class Listing<T> {
  items = $state.raw<T[] | null>(null);
  error = $state('');
  #path: () => string;

  constructor(path: () => string) {
    this.#path = path;
    $effect(() => {
      void this.act(async () => undefined);
    });
  }

  async act(change: () => Promise<unknown>): Promise<void> {
    this.error = '';
    try {
      await change();
      this.items = (await get<{ items: T[] }>(this.#path())).data.items;
    } catch (problem) {
      this.error = explain(problem);
    }
  }
}
