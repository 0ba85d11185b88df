// Times are the clinic's wall clock, as the service writes them: `2026-12-01T09:00`. They are never the browser's.

export const DAY_START = 7 * 60;
export const DAY_END = 18 * 60;
export const DAY_MINUTES = DAY_END - DAY_START;

const LOCALE = document.documentElement.lang || 'en';

function utc(stamp: string): Date {
  return new Date(`${stamp.length === 10 ? `${stamp}T00:00` : stamp.slice(0, 16)}Z`);
}

function formatter(options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  return new Intl.DateTimeFormat(LOCALE === 'en' ? 'en-GB' : LOCALE, { timeZone: 'UTC', ...options });
}

const dayFormat = formatter({ weekday: 'short', day: 'numeric', month: 'short' });
const dateFormat = formatter({ day: 'numeric', month: 'short', year: 'numeric' });

/** Today's date. */
export const today = (): string => new Intl.DateTimeFormat('sv-SE').format(new Date());
/** The number of a date, so that dates can be subtracted. */
export const dayNumber = (day: string): number => Math.round(utc(day.slice(0, 10)).getTime() / 86_400_000);
export const addDays = (day: string, days: number): string => addMinutes(`${day.slice(0, 10)}T00:00`, days * 1440).slice(0, 10);
/** The minute of its day. */
export const minuteOf = (stamp: string): number => Number(stamp.slice(11, 13)) * 60 + Number(stamp.slice(14, 16));
export const dayOf = (stamp: string): string => stamp.slice(0, 10);
export const clockOf = (stamp: string): string => stamp.slice(11, 16);
export const sayDay = (stamp: string): string => dayFormat.format(utc(stamp)).replace(',', '');
export const sayDate = (stamp: string): string => dateFormat.format(utc(stamp));
export const sayWhen = (start: string, end?: string): string =>
  `${sayDay(start)} ${clockOf(start)}${end ? `–${clockOf(end)}` : ''}`;

const WEEKDAYS = ['MO', 'TU', 'WE', 'TH', 'FR', 'SA', 'SU'];
const weekdayFormat = formatter({ weekday: 'long' });
/** A weekday as iCalendar writes it, in words: 2024 began on a Monday. */
export const sayWeekday = (day: string): string => weekdayFormat.format(utc(`2024-01-0${WEEKDAYS.indexOf(day) + 1}`));

export function clock(minute: number): string {
  return `${String(Math.floor(minute / 60)).padStart(2, '0')}:${String(minute % 60).padStart(2, '0')}`;
}
export const stampOf = (day: string, minute: number): string => `${day}T${clock(minute)}`;
export const addMinutes = (stamp: string, minutes: number): string => {
  const at = new Date(utc(stamp).getTime() + minutes * 60_000);
  return at.toISOString().slice(0, 16);
};

/** The working days from one date to before another, Monday to Friday; all days when nothing else is in it. */
export function daysBetween(start: string, end: string, used: Set<string>): string[] {
  const days: string[] = [];
  for (let day = start; day < end; day = addMinutes(`${day}T00:00`, 24 * 60).slice(0, 10)) days.push(day);
  const working = days.filter((day) => used.has(day) || ![0, 6].includes(utc(day).getUTCDay()));
  return working.length ? working : days;
}

const numbers = new Intl.NumberFormat(LOCALE === 'en' ? 'en-GB' : LOCALE);
const percents = new Intl.NumberFormat(LOCALE === 'en' ? 'en-GB' : LOCALE, { style: 'percent', maximumFractionDigits: 1 });
export const sayNumber = (value: number): string => numbers.format(value);
export const sayPercent = (value: number): string => percents.format(value);
export const saySigned = (value: number): string => (value > 0 ? `+${numbers.format(value)}` : numbers.format(value).replace('-', '−'));
