// What moves a visit over the grid: a pointer or the arrow keys. What the free places tell of a
// place is its verdict at once; of any other place it asks for one.
import { explain } from './api';
import { placeAt, placing, type Desk, type Staged } from './desk.svelte';
import { addMinutes, clock, DAY_END, DAY_MINUTES, DAY_START, dayOf, minuteOf, stampOf } from './times';
import type { Verdict } from './types';

const SNAP_MINUTES = 15;
const PICK_UP_PIXELS = 4;
const REST_MS = 60;
const EDGE_PIXELS = 48;

export interface Aim { row: string; day: string; minute: number }
interface Band { id: string; top: number; bottom: number }

export class Mover {
  aim = $state.raw<Aim | null>(null);
  verdict = $state.raw<Verdict | null>(null);
  error = $state('');
  x = $state(0);
  y = $state(0);
  byKey = $state(false);
  grid: HTMLElement | null = null;
  #desk: Desk;
  #bands: Band[] = [];
  #grabbed = 0;
  #timer = 0;
  #asked: Promise<void> = Promise.resolve();
  #frame = 0;
  #picked: Promise<void> = Promise.resolve();

  constructor(desk: Desk) {
    this.#desk = desk;
  }

  /** The place that is aimed at; `legal` is whether the service named it as free. */
  target = $derived.by(() => {
    const carry = this.#desk.carry;
    if (!carry || !this.aim) return null;
    const start = stampOf(this.aim.day, this.aim.minute);
    const found = placeAt(carry, this.#desk.by, this.aim.row, start);
    return { ...found, place: { ...found.place, start, end: addMinutes(start, carry.minutes) } };
  });

  /** A pointer went down on a visit: it is picked up once it has moved. */
  press(event: PointerEvent, visit: string, startX: number | null): void {
    if (event.button !== 0 || this.#desk.carry) return;
    const from = { x: event.clientX, y: event.clientY };
    this.#grabbed = startX === null ? 0 : event.clientX - startX;
    let picked = false;
    const move = (moved: PointerEvent) => {
      if (!picked && Math.hypot(moved.clientX - from.x, moved.clientY - from.y) < PICK_UP_PIXELS) return;
      if (!picked) {
        picked = true;
        void this.#begin(visit, false);
      }
      this.x = moved.clientX;
      this.y = moved.clientY;
      if (!this.#frame) this.#frame = requestAnimationFrame(() => this.#follow());
    };
    const up = () => {
      stop();
      if (!picked) return;
      addEventListener('click', swallow, { capture: true, once: true });
      setTimeout(() => removeEventListener('click', swallow, true));
      void this.stage();
    };
    const key = (pressed: KeyboardEvent) => {
      if (pressed.key !== 'Escape') return;
      stop();
      this.cancel();
    };
    const stop = () => {
      removeEventListener('pointermove', move);
      removeEventListener('pointerup', up);
      removeEventListener('pointercancel', up);
      removeEventListener('keydown', key, true);
    };
    addEventListener('pointermove', move);
    addEventListener('pointerup', up);
    addEventListener('pointercancel', up);
    addEventListener('keydown', key, true);
  }

  /** Begin to move by keys, from where the visit stands, or from its best place. */
  async beginByKey(visit: string, row: string): Promise<void> {
    const picked = this.#begin(visit, true);
    const from = this.#desk.carry?.from;
    if (from) this.#set({ row, day: dayOf(from.start), minute: minuteOf(from.start) });
    await picked;
    const best = this.#desk.carry?.places?.best[0]?.place;
    if (!this.aim && best) this.#set({ row: best.team[0] ?? row, day: dayOf(best.start), minute: minuteOf(best.start) });
  }

  #begin(visit: string, byKey: boolean): Promise<void> {
    this.byKey = byKey;
    this.verdict = null;
    this.error = '';
    this.aim = null;
    const body = this.grid?.querySelector<HTMLElement>('.body');
    const top = body?.getBoundingClientRect().top ?? 0;
    this.#bands = [...(this.grid?.querySelectorAll<HTMLElement>('[data-row]') ?? [])].map((row) => {
      const box = row.getBoundingClientRect();
      return { id: row.dataset.row!, top: box.top - top, bottom: box.bottom - top };
    });
    return (this.#picked = this.#desk.pick(visit));
  }

  #follow(): void {
    this.#frame = 0;
    const grid = this.grid;
    const cell = grid?.querySelector<HTMLElement>('.days');
    if (!grid || !cell) return;
    this.#scrollAtEdges(grid);
    const box = cell.getBoundingClientRect();
    const top = grid.querySelector('.body')!.getBoundingClientRect().top;
    const band = this.#bands.find((row) => this.y - top >= row.top && this.y - top < row.bottom);
    const x = this.x - this.#grabbed - box.left;
    if (!band || this.x < grid.getBoundingClientRect().left) return this.#set(null);
    const width = box.width / this.#desk.days.length;
    const index = Math.max(0, Math.min(this.#desk.days.length - 1, Math.floor(x / width)));
    const minute = DAY_START + ((x - index * width) / width) * DAY_MINUTES;
    this.#set({ row: band.id, day: this.#desk.days[index]!, minute: this.#snap(minute) });
  }

  #scrollAtEdges(grid: HTMLElement): void {
    const box = grid.getBoundingClientRect();
    const push = (at: number, low: number, high: number) => (at < low + EDGE_PIXELS ? -12 : at > high - EDGE_PIXELS ? 12 : 0);
    grid.scrollBy(push(this.x, box.left + 170, box.right), push(this.y, box.top + 40, box.bottom));
  }

  #snap(minute: number): number {
    const last = DAY_END - (this.#desk.carry?.minutes ?? SNAP_MINUTES);
    return Math.max(DAY_START, Math.min(last, Math.round(minute / SNAP_MINUTES) * SNAP_MINUTES));
  }

  #set(aim: Aim | null): void {
    const same = aim && this.aim && aim.row === this.aim.row && aim.day === this.aim.day && aim.minute === this.aim.minute;
    if (same) return;
    this.aim = aim;
    this.error = '';
    clearTimeout(this.#timer);
    this.verdict = this.#known();
    if (aim && !this.verdict) this.#timer = window.setTimeout(() => void this.#judge(), this.byKey ? 0 : REST_MS);
  }

  /** What is staged beside the place of what is carried. */
  #others(): Staged[] {
    const visit = this.#desk.carry?.visit;
    return this.#desk.staged.filter((staged) => staged.visit !== visit || staged.change.kind.includes('pin'));
  }

  /** The verdict on a free place while nothing else changes: the service has told it with the places. */
  #known(): Verdict | null {
    const carry = this.#desk.carry;
    const target = this.target;
    if (!carry?.places?.notices || !target?.starts || this.#others().length) return null;
    if (carry.from && carry.from.start === target.place.start && carry.from.team.join() === target.place.team.join()) return null;
    const { calls, cost } = target.starts;
    return { broken: [], cost: { difference: cost }, ...carry.places.notices[calls ? 'calling' : 'quiet'] };
  }

  async #judge(): Promise<void> {
    const aim = this.aim;
    await this.#picked; // where it may stand is wanted first
    await this.#asked; // one at a time: of those that wait, only the newest asks
    if (aim !== this.aim) return;
    this.verdict = this.#known();
    if (!this.verdict) await (this.#asked = this.#ask(aim));
  }

  async #ask(aim: Aim | null): Promise<void> {
    const target = this.target;
    const visit = this.#desk.carry?.visit;
    if (!target || !visit) return;
    try {
      const verdict = await this.#desk.judgementOf([...this.#others().map((staged) => staged.change), placing(visit, target.place)]);
      if (aim === this.aim) this.verdict = verdict;
    } catch (error) {
      if (aim === this.aim) this.error = explain(error);
    }
  }

  /** Move by an arrow: a quarter of an hour, a row, or with Ctrl to the next start that is free. */
  step(key: string, jump: boolean): void {
    const aim = this.aim;
    if (!aim) return;
    const rows = this.#bands.map((band) => band.id);
    const index = rows.indexOf(aim.row);
    if (key === 'ArrowUp' || key === 'ArrowDown') {
      const row = rows[Math.max(0, Math.min(rows.length - 1, index + (key === 'ArrowUp' ? -1 : 1)))];
      if (row) this.#set({ ...aim, row });
      return;
    }
    const forward = key === 'ArrowRight';
    if (jump) return this.#jump(aim, forward);
    let minute = aim.minute + (forward ? SNAP_MINUTES : -SNAP_MINUTES);
    let day = aim.day;
    const last = DAY_END - (this.#desk.carry?.minutes ?? SNAP_MINUTES);
    const at = this.#desk.days.indexOf(day);
    if (minute > last && this.#desk.days[at + 1]) [day, minute] = [this.#desk.days[at + 1]!, DAY_START];
    else if (minute < DAY_START && this.#desk.days[at - 1]) [day, minute] = [this.#desk.days[at - 1]!, last];
    this.#set({ ...aim, day, minute: Math.max(DAY_START, Math.min(last, minute)) });
  }

  #jump(aim: Aim, forward: boolean): void {
    const carry = this.#desk.carry;
    if (!carry?.places) return;
    const starts = new Set<string>();
    for (const place of carry.places.places) {
      const here = this.#desk.by === 'room' ? place.rooms.some((room) => room.room === aim.row) : place.team.includes(aim.row);
      if (!here && this.#desk.by !== 'patient') continue;
      for (const range of place.starts) {
        for (let minute = toMinute(range.first); minute <= toMinute(range.last); minute += carry.places.start_grid_minutes) {
          starts.add(`${place.day}T${clock(minute)}`);
        }
      }
    }
    const here = stampOf(aim.day, aim.minute);
    const sorted = [...starts].sort();
    const next = forward ? sorted.find((start) => start > here) : sorted.reverse().find((start) => start < here);
    if (next) this.#set({ ...aim, day: dayOf(next), minute: minuteOf(next) });
  }

  async stage(): Promise<void> {
    const target = this.target;
    const visit = this.#desk.carry?.visit;
    this.#end();
    await this.#desk.drop(target && visit ? placing(visit, target.place) : null);
  }

  cancel(): void {
    this.#end();
    void this.#desk.drop(null);
  }

  #end(): void {
    clearTimeout(this.#timer);
    cancelAnimationFrame(this.#frame);
    this.#frame = 0;
    this.aim = null;
    this.verdict = null;
  }
}

/** The click that a drop ends with means nothing. */
function swallow(event: Event): void {
  event.stopPropagation();
  event.preventDefault();
}

const toMinute = (time: string): number => Number(time.slice(0, 2)) * 60 + Number(time.slice(3, 5));
