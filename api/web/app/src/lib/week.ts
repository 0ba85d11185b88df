// A week laid out as rows: who or where, and what stands in it, side by side in lanes where it overlaps.
import type { Board, Group, Hold, Place, Visit } from './types';
import { DAY_END, DAY_START, dayOf, daysBetween, minuteOf } from './times';

export type By = 'provider' | 'room' | 'patient';

export interface Item {
  key: string;
  id: string;
  kind: 'visit' | 'group' | 'hold';
  place: Place;
  service: string;
  day: string;
  from: number;
  to: number;
  lane: number;
  supervises: boolean;
  staged: boolean;
  visit: Visit | null;
  group: Group | null;
  hold: Hold | null;
}
export interface Span { day: string; from: number; to: number; location: string | null; text: string }
export interface Row {
  id: string; name: string; code: string; group: string; kind: By;
  lanes: number; items: Item[]; shifts: Span[]; busy: Span[];
}
export interface RowGroup { id: string; name: string; rows: Row[] }

export const names = (board: Board) => ({
  service: new Map(board.services.map((service) => [service.id, service])),
  room: new Map(board.rooms.map((room) => [room.id, room])),
  location: new Map(board.locations.map((location) => [location.id, location])),
  provider: new Map(board.providers.map((provider) => [provider.id, provider])),
  family: new Map(board.families.map((family) => [family.id, family])),
});
export type Names = ReturnType<typeof names>;

export function weekDays(board: Board): string[] {
  const used = new Set([...board.visits, ...board.groups].map((item) => dayOf(item.start)));
  return daysBetween(board.start.slice(0, 10), board.end.slice(0, 10), used);
}

/** Everything that stands, once. */
export function itemsOf(board: Board, staged: Set<string>): Item[] {
  const make = (kind: Item['kind'], id: string, of: Visit | Group | Hold): Item => ({
    key: `${kind}:${id}`, id, kind, place: of, service: of.service, day: dayOf(of.start), from: minuteOf(of.start),
    to: Math.max(minuteOf(of.end), minuteOf(of.start) + 5), lane: 0, supervises: false, staged: kind === 'visit' && staged.has(id),
    visit: kind === 'visit' ? (of as Visit) : null, group: kind === 'group' ? (of as Group) : null,
    hold: kind === 'hold' ? (of as Hold) : null,
  });
  return [
    ...board.visits.map((visit) => make('visit', visit.visit, visit)),
    ...board.groups.map((group) => make('group', group.group, group)),
    ...board.holds.map((hold) => make('hold', hold.reserve, hold)),
  ];
}

const span = (of: { start: string; end: string }, location: string | null, text: string): Span => ({
  day: dayOf(of.start), from: Math.max(minuteOf(of.start), DAY_START),
  to: dayOf(of.end) > dayOf(of.start) ? DAY_END : Math.min(minuteOf(of.end), DAY_END), location, text,
});

export function layOut(board: Board, by: By, items: Item[], find: Names): RowGroup[] {
  const rows = by === 'provider' ? providerRows(board, items) : by === 'room' ? roomRows(board, items) : patientRows(items);
  for (const row of rows) row.lanes = assignLanes(row.items);
  const groups = new Map<string, RowGroup>();
  for (const row of rows) {
    const group = groups.get(row.group) ?? { id: row.group, name: titleOf(row.group, by, find), rows: [] };
    groups.set(row.group, group);
    group.rows.push(row);
  }
  return [...groups.values()];
}

const titleOf = (group: string, by: By, find: Names): string =>
  by === 'room' ? (find.location.get(group)?.name ?? group) : group ? group.charAt(0).toUpperCase() + group.slice(1).replaceAll('-', ' ') : '';

function providerRows(board: Board, items: Item[]): Row[] {
  const of = new Map<string, Item[]>();
  for (const item of items) {
    for (const who of item.place.team) push(of, who, { ...item, key: `${item.key}@${who}` });
    for (const who of item.place.supervisors) push(of, who, { ...item, key: `${item.key}@${who}`, supervises: true });
  }
  return board.providers.map((provider) => ({
    id: provider.id, name: provider.name, code: provider.code, group: provider.role, kind: 'provider', lanes: 1,
    items: of.get(provider.id) ?? [],
    shifts: provider.shifts.map((shift) => span(shift, shift.location ?? (shift.locations.length === 1 ? shift.locations[0]! : null), '')),
    busy: provider.busy.map((busy) => span(busy, null, busy.reason)),
  }));
}

function roomRows(board: Board, items: Item[]): Row[] {
  const of = new Map<string, Item[]>();
  for (const item of items) if (item.place.room) push(of, item.place.room, { ...item, key: `${item.key}@${item.place.room}` });
  const days = weekDays(board);
  const sorted = [...board.rooms].sort((a, b) => a.location.localeCompare(b.location));
  return sorted.map((room) => ({
    id: room.id, name: room.name ?? sayId(room.id), code: room.code, group: room.location, kind: 'room', lanes: 1,
    items: of.get(room.id) ?? [],
    shifts: days.map((day) => ({ day, from: DAY_START, to: DAY_END, location: room.location, text: '' })),
    busy: board.closures.filter((closure) => closure.location === room.location).map((closure) => span(closure, null, closure.reason)),
  }));
}

function patientRows(items: Item[]): Row[] {
  const of = new Map<string, Item[]>();
  const called = new Map<string, string>();
  for (const item of items) {
    if (!item.visit) continue;
    called.set(item.visit.patient, item.visit.name);
    push(of, item.visit.patient, { ...item, key: `${item.key}@${item.visit.patient}` });
  }
  const rows = [...of].map(([patient, own]): Row => ({
    id: patient, name: called.get(patient) ?? patient, code: '', group: '', kind: 'patient', lanes: 1, items: own, shifts: [], busy: [],
  }));
  return rows.sort((a, b) => b.items.length - a.items.length || a.name.localeCompare(b.name));
}

/** Give each item the first lane that is free at its start; return the number of lanes. */
function assignLanes(items: Item[]): number {
  items.sort((a, b) => a.day.localeCompare(b.day) || a.from - b.from || b.to - a.to);
  const ends: string[] = [];
  for (const item of items) {
    const start = item.place.start;
    let lane = ends.findIndex((end) => end <= start);
    if (lane < 0) lane = ends.length;
    ends[lane] = item.place.end;
    item.lane = lane;
  }
  return Math.max(1, ends.length);
}

function push<K, V>(map: Map<K, V[]>, key: K, value: V): void {
  const list = map.get(key);
  if (list) list.push(value);
  else map.set(key, [value]);
}

export const initials = (name: string): string => name.trim().split(/\s+/).map((word) => word[0]).join('').toUpperCase();
export const surname = (name: string): string => name.trim().split(/\s+/).at(-1) ?? name;
export const sayId = (id: string): string => id.replaceAll('-', ' ').replace(/^\w/, (letter) => letter.toUpperCase());
