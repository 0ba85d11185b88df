// The week on the desk: what the service told of it, how it is looked at, and what is staged but not saved.
import { call, explain, get, post, Problem, seg } from './api';
import { dayOf, minuteOf } from './times';
import type { Applied, Board, Change, Judgement, Place, Places, PlacingChange, Starts, Visit, Waiting } from './types';
import { itemsOf, layOut, names, weekDays, type By, type Item, type RowGroup } from './week';
import { say } from './words';

export type Zoom = 'fit' | 'week' | 'day';
export type Filter = 'site' | 'role' | 'family' | 'priority' | 'state';
export const FILTERS: Filter[] = ['site', 'role', 'family', 'priority', 'state'];
const NO_FILTER: Record<Filter, string> = { site: '', role: '', family: '', priority: '', state: '' };
const UNDO_FALLBACK_SECONDS = 60;
const REOPEN_MS = 15_000;

export interface Staged { change: Change; visit: string; name: string }

export class Desk {
  scenario: string;
  board = $state.raw<Board | null>(null);
  etag: string | null = null;
  error = $state('');
  by = $state<By>('provider');
  zoom = $state<Zoom>('week');
  filters = $state({ ...NO_FILTER });
  find = $state('');
  folded = $state.raw(new Set<string>());
  selected = $state<string | null>(null);
  showsWaiting = $state(false);
  staged = $state.raw<Staged[]>([]);
  judgement = $state.raw<Judgement | null>(null);
  judging = $state(false);
  notice = $state('');
  applied = $state.raw<Applied | null>(null);
  carry = $state.raw<Carry | null>(null);
  #late: Board | null = null;
  #stream: EventSource | null = null;
  #heard = 0;
  #saving: Promise<void> = Promise.resolve();

  constructor(scenario: string) {
    this.scenario = scenario;
    if (innerWidth >= 1500) this.zoom = 'week';
  }

  days = $derived(this.board ? weekDays(this.board) : []);
  names = $derived(this.board ? names(this.board) : null);
  shown = $derived(this.board ? overlay(this.board, this.staged) : null);
  items = $derived(this.shown ? itemsOf(this.shown, new Set(this.staged.map((staged) => staged.visit))) : []);
  groups = $derived(this.shown && this.names ? this.#filtered(layOut(this.shown, this.by, this.items, this.names)) : []);
  hits = $derived(this.#hits());
  item = $derived(this.items.find((item) => `${item.kind}:${item.id}` === this.selected) ?? null);
  narrowed = $derived(this.find !== '' || this.filters.family !== '' || this.filters.priority !== '' || this.filters.state !== '');

  async load(): Promise<void> {
    try {
      const answer = await get<Board>(`/v1/scenarios/${seg(this.scenario)}/board`, { known: this.etag });
      this.error = '';
      if (answer.status === 304) return;
      this.etag = answer.etag;
      if (this.carry) this.#late = answer.data;
      else this.board = answer.data;
    } catch (error) {
      this.error = explain(error);
    }
  }

  /** Listen for what others change; a page that is hidden gives up its stream. */
  listen(): () => void {
    let again = 0;
    const open = () => {
      if (document.hidden || this.#stream) return;
      this.#stream = new EventSource(`/v1/scenarios/${seg(this.scenario)}/changes`);
      this.#stream.addEventListener('version', (event) => this.#hear(JSON.parse((event as MessageEvent<string>).data)));
      this.#stream.addEventListener('end', close);
      this.#stream.addEventListener('error', () => {
        // A browser tries again by itself only when a stream breaks off, not when it is refused, as by a service that starts.
        if (this.#stream?.readyState !== EventSource.CLOSED) return;
        close();
        again = window.setTimeout(open, REOPEN_MS);
      });
    };
    const close = () => {
      clearTimeout(again);
      this.#stream?.close();
      this.#stream = null;
    };
    const turn = () => (document.hidden ? close() : open());
    open();
    document.addEventListener('visibilitychange', turn);
    return () => {
      document.removeEventListener('visibilitychange', turn);
      close();
    };
  }

  async #hear(news: { version: number; by: { id: string; name: string }[] }): Promise<void> {
    await this.#saving; // what this desk saves itself is heard too, often before its answer has come
    if (!this.board || news.version <= this.board.version || news.version === this.#heard) return; // news of before comes late
    this.#heard = news.version;
    await this.load();
    if (news.by.length) this.notice = say('board.changed', { who: news.by.map((person) => person.name).join(', ') });
    if (this.staged.length) await this.judge();
  }

  #filtered(groups: RowGroup[]): RowGroup[] {
    const { site, role } = this.filters;
    if (!site && !role) return groups;
    const sites = new Map(this.board!.locations.map((location) => [location.id, location.site]));
    const keeps = (row: RowGroup['rows'][number]): boolean => {
      if (role && row.kind === 'provider' && row.group !== role) return false;
      if (!site) return true;
      const at = row.shifts.flatMap((shift) => (shift.location ? [sites.get(shift.location)] : []));
      return at.length ? at.includes(site) : row.items.some((item) => sites.get(item.place.location) === site);
    };
    return groups.map((group) => ({ ...group, rows: group.rows.filter(keeps) })).filter((group) => group.rows.length);
  }

  #hits(): Set<string> {
    if (!this.narrowed || !this.names) return new Set();
    const wanted = this.find.trim().toLowerCase();
    const hits = this.items.filter((item) => this.#matches(item, wanted));
    return new Set(hits.map((item) => `${item.kind}:${item.id}`));
  }

  #matches(item: Item, wanted: string): boolean {
    const { family, priority, state } = this.filters;
    const service = this.names!.service.get(item.service);
    if (family && service?.family !== family) return false;
    if (priority && item.visit?.priority !== priority) return false;
    if (state && !this.#stateOf(item).includes(state)) return false;
    if (!wanted) return true;
    const room = item.place.room ? this.names!.room.get(item.place.room) : null;
    const texts = [item.visit?.name, item.group?.name, service?.name, service?.code, room?.code, item.place.room, item.id];
    return texts.some((text) => text?.toLowerCase().includes(wanted));
  }

  #stateOf(item: Item): string[] {
    if (item.hold) return ['hold'];
    const of = item.visit ?? item.group!;
    return [of.state, ...(of.notified ? [] : ['untold']), ...(item.visit?.pinned ? ['pinned'] : []), ...(item.visit?.late ? ['late'] : [])];
  }

  clear(): void {
    this.filters = { ...NO_FILTER };
    this.find = '';
  }

  fold(group: string): void {
    const folded = new Set(this.folded);
    if (!folded.delete(group)) folded.add(group);
    this.folded = folded;
  }

  waitingOf(visit: string): Waiting | null {
    return this.board?.waiting.find((waiting) => waiting.visit === visit) ?? null;
  }

  /** Stage a change in place of an earlier one of the same sort of the same visit, and judge all of them together. */
  async stage(change: Change, name: string): Promise<void> {
    const sort = (kind: string) => (kind === 'place' || kind === 'cancel' ? 'place' : 'pin');
    const others = this.staged.filter((staged) => staged.visit !== change.visit || sort(staged.change.kind) !== sort(change.kind));
    this.staged = [...others, { change, visit: change.visit, name }];
    this.applied = null;
    await this.judge();
  }

  async unstage(): Promise<void> {
    this.staged = this.staged.slice(0, -1);
    await this.judge();
  }

  discard(): void {
    this.staged = [];
    this.judgement = null;
  }

  /** Give the reason for which a rule is broken to every change that places a visit. */
  reason(text: string): void {
    this.staged = this.staged.map((staged) =>
      staged.change.kind === 'place' ? { ...staged, change: { ...staged.change, override_reason: text || null } } : staged,
    );
  }

  async judge(): Promise<void> {
    if (!this.staged.length) {
      this.judgement = null;
      return;
    }
    this.judging = true;
    try {
      this.judgement = await this.judgementOf(this.staged.map((staged) => staged.change));
    } catch (error) {
      this.notice = explain(error);
    } finally {
      this.judging = false;
    }
  }

  async judgementOf(changes: Change[]): Promise<Judgement> {
    return (await post<Judgement>(`/v1/scenarios/${seg(this.scenario)}/judgements`, { changes })).data;
  }

  apply(): Promise<void> {
    return (this.#saving = this.#apply());
  }

  async #apply(): Promise<void> {
    const changes = this.staged.map((staged) => staged.change);
    try {
      const answer = await call<Applied>('POST', `/v1/scenarios/${seg(this.scenario)}/changes`, { body: { changes }, etag: this.etag });
      await this.load();
      this.discard();
      this.applied = answer.data;
      this.notice = '';
    } catch (error) {
      this.notice = explain(error);
      if (error instanceof Problem && error.status === 412) {
        this.notice = `${say('staged.stale')} ${this.#nameChanges(error)}`;
        await this.load();
      }
      await this.judge();
    }
  }

  /** The places that nobody has any more by what was applied last. */
  get freed(): Place[] {
    return this.applied?.judgement.differences.flatMap(({ kind, difference, before }) => (kind === 'visit' && difference === 'dropped' && before ? [before] : [])) ?? [];
  }

  /** Return what was changed, with the names of those whose visits it is: a refusal names nobody. */
  #nameChanges(problem: Problem): string {
    const of = (path: string): string => this.board?.visits.find((visit) => `visits/${visit.visit}` === path)?.name ?? '';
    return problem.errors.map((reason) => [of(reason.path ?? ''), reason.detail].filter(Boolean).join(': ')).join('; ');
  }

  /** Take back what was applied last. */
  revert(): Promise<void> {
    return (this.#saving = this.#revert());
  }

  async #revert(): Promise<void> {
    if (!this.applied) return;
    const soon = this.secondsLeft() > 0;
    try {
      await post(`/v1/changes/${seg(this.applied.id)}/reversal`);
      await this.load();
      this.applied = null;
      this.notice = say(soon ? 'staged.undone' : 'staged.undone-later');
    } catch (error) {
      this.notice = explain(error);
      await this.load();
    }
  }

  secondsLeft(): number {
    if (!this.applied) return 0;
    const until = Date.parse(this.applied.undo_until);
    return Number.isNaN(until) ? UNDO_FALLBACK_SECONDS : Math.max(0, Math.round((until - Date.now()) / 1000));
  }

  /** Pick a visit up: ask where it may stand. */
  async pick(visit: string): Promise<void> {
    const waiting = this.waitingOf(visit);
    const from = this.items.find((item) => item.id === visit && item.visit)?.visit ?? null;
    if (!waiting && !from) return;
    const named = waiting ?? from!;
    const minutes = from ? spanOf(from) : (this.names?.service.get(named.service)?.minutes ?? 30);
    this.carry = { visit, name: named.name, service: named.service, minutes, from, places: null };
    try {
      const places = (await get<Places>(`/v1/visits/${seg(visit)}/places`)).data;
      if (this.carry?.visit === visit) this.carry = { ...this.carry, places, minutes: places.minutes || minutes };
    } catch (error) {
      this.notice = explain(error);
    }
  }

  /** Put down what is carried, staged at a place or as it was. */
  async drop(change: PlacingChange | null): Promise<void> {
    const carried = this.carry;
    this.carry = null;
    if (this.#late) {
      this.board = this.#late;
      this.#late = null;
    }
    if (carried && change) await this.stage(change, carried.name);
  }
}

export interface Carry {
  visit: string; name: string; service: string; minutes: number; from: Visit | null; places: Places | null;
}

const spanOf = (of: Place): number => (Date.parse(`${of.end}Z`) - Date.parse(`${of.start}Z`)) / 60_000;

export const placing = (visit: string, place: Place): PlacingChange => ({
  kind: 'place', visit, start: place.start, location: place.location, room: place.room, team: place.team,
  supervisors: place.supervisors, override_reason: null,
});

/** The board as it would be with what is staged. */
function overlay(board: Board, staged: Staged[]): Board {
  if (!staged.length) return board;
  let visits = board.visits;
  const minutes = new Map(board.services.map((service) => [service.id, service.minutes]));
  for (const { change } of staged) {
    if (change.kind === 'cancel') visits = visits.filter((visit) => visit.visit !== change.visit);
    else if (change.kind !== 'place') visits = visits.map((visit) => (visit.visit === change.visit ? { ...visit, pinned: change.kind === 'pin' } : visit));
    else visits = placed(visits, change, board, minutes);
  }
  return { ...board, visits };
}

function placed(visits: Visit[], change: PlacingChange, board: Board, minutes: Map<string, number>): Visit[] {
  const { start, location, room, team, supervisors } = change;
  const before = visits.find((visit) => visit.visit === change.visit);
  const waiting = board.waiting.find((waiting) => waiting.visit === change.visit);
  const long = before ? spanOf(before) : (minutes.get(waiting?.service ?? '') ?? 30);
  const end = new Date(Date.parse(`${start}Z`) + long * 60_000).toISOString().slice(0, 16);
  const place = { start, end, location, room, team, supervisors };
  if (before) return visits.map((visit) => (visit === before ? { ...visit, ...place } : visit));
  if (!waiting) return visits;
  const { visit, patient, name, service, priority, earliest, target, deadline } = waiting;
  const added: Visit = {
    visit, patient, name, service, priority, earliest, target, deadline, ...place, late: false, state: 'staged',
    notified: false, version: 0, pinned: false, override_reason: null, participation: null,
  };
  return [...visits, added];
}

const minutesOf = (clock: string): number => minuteOf(`0000-00-00T${clock}`);
const isOnGrid = (starts: Starts, minute: string, carry: Carry): boolean =>
  (minutesOf(minute) - minutesOf(starts.first)) % (carry.places?.start_grid_minutes ?? 1) === 0;

export interface Aimed { place: Place; legal: boolean; starts: Starts | null }

/** The place for what is carried that a pointer or a key means: the cheapest legal one there, else the nearest to it. */
export function placeAt(carry: Carry, by: By, row: string, start: string): Aimed {
  const minute = start.slice(11, 16);
  let best: { place: Place; starts: Starts } | null = null;
  for (const option of carry.places?.places ?? []) {
    if (option.day !== dayOf(start) || (by === 'provider' && !option.team.includes(row))) continue;
    const range = option.starts.find((starts) => starts.first <= minute && minute <= starts.last && isOnGrid(starts, minute, carry));
    if (!range) continue;
    const free = option.rooms.filter((room) => room.starts.some((starts) => starts.first <= minute && minute <= starts.last));
    const rooms = free.map((room) => room.room);
    if (by === 'room' && !rooms.includes(row)) continue;
    const room = by === 'room' ? row : rooms.includes(carry.from?.room ?? '') ? carry.from!.room : (rooms[0] ?? null);
    const end = start;
    if (!best || range.cost < best.starts.cost) {
      best = { place: { start, end, location: option.location, room, team: option.team, supervisors: option.supervisors }, starts: range };
    }
  }
  if (best) return { ...best, legal: true };
  const from: Place = carry.from ?? carry.places?.best[0]?.place ?? { start, end: start, location: '', room: null, team: [], supervisors: [] };
  const team = by === 'provider' && !from.team.includes(row) ? [row, ...from.team.slice(1)] : from.team;
  const room = by === 'room' ? row : from.room;
  return { place: { ...from, start, end: start, room, team }, legal: false, starts: null };
}
