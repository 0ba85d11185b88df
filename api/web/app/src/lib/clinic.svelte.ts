// What the clinic calls its people, places and services, by the week of today; pages beside the board use it.
import { explain, get, seg, tagOf } from './api';
import { dayOf, today } from './times';
import type { Board, Period } from './types';
import { names, type Names } from './week';

export const clinic = new (class {
  weeks = $state.raw<Period[]>([]);
  board = $state.raw<Board | null>(null);
  error = $state('');
  #etag: string | null = null;

  names: Names | null = $derived(this.board ? names(this.board) : null);

  /** Load the week that holds a day, today unless said otherwise; the last one before it when none does. */
  async load(day: string = today()): Promise<void> {
    try {
      const answer = await get<{ items: Period[] }>('/v1/scenarios?limit=200');
      this.weeks = [...answer.data.items].sort((a, b) => a.start.localeCompare(b.start));
      const holds = this.weeks.filter((week) => dayOf(week.start) <= day).at(-1) ?? this.weeks[0];
      if (!holds) return;
      const known = this.board?.scenario === holds.id ? this.#etag : null;
      const board = await get<Board>(`/v1/scenarios/${seg(holds.id)}/board`, { known });
      this.error = '';
      if (board.status === 304) return;
      this.#etag = board.etag;
      this.board = board.data;
    } catch (error) {
      this.error = explain(error);
    }
  }

  /** The tag of one booking of the week, as If-Match wants it. */
  tag(version: number): string {
    return tagOf(this.#etag, version);
  }

  service(id: string): string {
    return this.names?.service.get(id)?.name ?? id;
  }
  location(id: string | null): string {
    return id === null ? '' : (this.names?.location.get(id)?.name ?? id);
  }
  room(id: string | null): string {
    return id === null ? '' : (this.names?.room.get(id)?.code ?? id);
  }
  people(ids: string[]): string {
    return ids.map((id) => this.names?.provider.get(id)?.name ?? id).join(', ');
  }
})();
