// A pathway laid out on a time axis: each visit a row, with what became of it, or between which dates it is to be.
import { addDays, dayNumber, sayDate, sayDay } from '../lib/times';
import { sayId } from '../lib/week';
import type { Episode, OpenStep } from './types';

export interface Mark { kind: 'done' | 'no-show' | 'cancelled'; day: string }
export interface StepRow { key: string; name: string; service: string; marks: Mark[]; outcome: string; open: OpenStep | null }
export interface StepLine { from: string; to: string; ticks: { day: string; text: string }[]; rows: StepRow[] }

const ROOM_DAYS = 5;
const OPEN_ENDED_DAYS = 28;
const MOST_TICKS = 7;

export function layOutSteps(episode: Episode, today: string): StepLine {
  const rows = [...collect(episode).values()].filter((row) => row.marks.length || row.open || row.outcome);
  rows.sort((a, b) => firstDay(a).localeCompare(firstDay(b)));
  const days = rows.flatMap((row) => [
    ...row.marks.map((mark) => mark.day),
    ...(row.open ? [row.open.earliest, row.open.latest ?? addDays(row.open.earliest, OPEN_ENDED_DAYS), row.open.planned, row.open.target] : []),
  ]);
  const known = [today, ...days.filter((day): day is string => day !== null)].sort();
  const from = addDays(known[0]!, -ROOM_DAYS);
  const to = addDays(known.at(-1)!, ROOM_DAYS);
  return { from, to, ticks: ticksBetween(from, to), rows };
}

/** Return a row for each visit of the history and each that is open. What was taken back counts as never told. */
function collect(episode: Episode): Map<string, StepRow> {
  const rows = new Map<string, StepRow>();
  const rowOf = (step: string, number: number): StepRow => {
    const key = `${step} ${number}`;
    const row = rows.get(key) ?? { key, name: `${sayId(step)}${number > 1 ? ` ${number}` : ''}`, service: '', marks: [], outcome: '', open: null };
    rows.set(key, row);
    return row;
  };
  for (const event of episode.history) {
    if (!event.step) continue;
    if (event.kind === 'outcome') {
      const last = [...rows.values()].findLast((row) => row.key.startsWith(`${event.step} `)) ?? rowOf(event.step, 1);
      last.outcome = event.outcome ?? (event.relief_percent === null ? '' : `${event.relief_percent} %`);
    } else if (event.kind === 'retracted') {
      rowOf(event.step, event.number ?? 1).marks.pop();
    } else if ((event.kind === 'done' || event.kind === 'no-show' || event.kind === 'cancelled') && event.date) {
      rowOf(event.step, event.number ?? 1).marks.push({ kind: event.kind, day: event.date });
    }
  }
  for (const open of episode.open) {
    const row = rowOf(open.step, open.number);
    row.open = open;
    row.service = open.service;
  }
  for (const row of rows.values()) row.marks = [...new Map(row.marks.map((mark) => [mark.kind + mark.day, mark])).values()];
  return rows;
}

const firstDay = (row: StepRow): string => row.marks[0]?.day ?? row.open?.earliest ?? '9';

/** Return Mondays, or the first days of months where those would be too many. */
function ticksBetween(from: string, to: string): { day: string; text: string }[] {
  const span = dayNumber(to) - dayNumber(from);
  const days = Array.from({ length: span + 1 }, (_, at) => addDays(from, at));
  const isMonday = (day: string): boolean => (dayNumber(day) + 3) % 7 === 0;
  const ticks = span <= MOST_TICKS * 7 ? days.filter(isMonday) : days.filter((day) => day.endsWith('-01'));
  const every = Math.ceil(ticks.length / MOST_TICKS);
  const text = (day: string): string => (span <= MOST_TICKS * 7 ? sayDay(day).split(' ').slice(1).join(' ') : sayDate(day).split(' ').slice(1).join(' '));
  return ticks.filter((_, at) => at % every === 0).map((day) => ({ day, text: text(day) }));
}
