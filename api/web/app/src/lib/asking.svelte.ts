// What a page asks the service for by its buttons: whether it waits for an answer, and what went wrong, in words.
import { explain } from './api';

export class Asking {
  busy = $state(false);
  error = $state('');
  #say: (problem: unknown) => string;

  constructor(say: (problem: unknown) => string = explain) {
    this.#say = say;
  }

  /** Ask; buttons wait meanwhile, and a refusal is told instead of thrown. */
  act = async (ask: () => Promise<unknown>): Promise<void> => {
    this.busy = true;
    this.error = '';
    try {
      await ask();
    } catch (problem) {
      this.error = this.#say(problem);
    }
    this.busy = false;
  };
}
