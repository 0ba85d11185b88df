// What the service answers, as far as the desk reads it.
export interface Shift { start: string; end: string; locations: string[]; location: string | null }
export interface Provider {
  id: string; name: string; code: string; role: string; skills: string[]; trainee: boolean;
  shifts: Shift[]; busy: { start: string; end: string; reason: string }[];
}
export interface Room { id: string; code: string; name?: string; location: string; kind: string; features: string[]; seats: number }
export interface Place { start: string; end: string; location: string; room: string | null; team: string[]; supervisors: string[] }
export interface Visit extends Place {
  visit: string; patient: string; name: string; service: string; priority: string;
  earliest: string | null; target: string | null; deadline: string | null; late: boolean; state: string; notified: boolean;
  version: number; pinned: boolean; override_reason: string | null; participation: string | null;
}
export interface Group extends Place {
  group: string; name: string; service: string; attendees: { patient: string; name: string }[]; capacity: number;
  state: string; notified: boolean; version: number;
}
export interface Hold extends Place { reserve: string; service: string; state: string; version: number }
export interface Waiting {
  visit: string; patient: string; name: string; service: string; family: string; priority: string;
  earliest: string | null; target: string | null; deadline: string | null; days_waited: number | null;
  reasons: { rule: string; detail: string; words: string }[];
}
export interface Figures {
  cost: number; bound: number | null; gap: number | null; costs: Record<string, number>;
  asked: number; planned: number; late: number; held: number; told: number; untold: number;
}
export interface Service { id: string; name: string; code: string; family: string; minutes: number }
export interface Board {
  scenario: string; version: number; now: string | null; timezone: string; start: string; end: string;
  start_grid_minutes: number; clinic: string;
  sites: { id: string; name: string }[];
  locations: { id: string; site: string; name: string; address: string | null }[];
  services: Service[]; families: { id: string; name: string; colour: string }[];
  rooms: Room[]; providers: Provider[];
  closures: { start: string; end: string; location: string | null; reason: string }[];
  visits: Visit[]; groups: Group[]; holds: Hold[]; waiting: Waiting[]; figures: Figures;
}
export interface Starts { first: string; last: string; cost: number; calls: boolean }
export type Notice = Pick<Judgement, 'call' | 'budget'>
export interface Places {
  visit: string; version: number; start_grid_minutes: number; minutes: number; current: Place | null;
  places: { day: string; location: string; team: string[]; supervisors: string[]; starts: Starts[];
    rooms: { room: string; starts: { first: string; last: string }[] }[] }[];
  best: { place: Place; cost: number }[];
  notices: { quiet: Notice; calling: Notice } | null;
}
export interface Judgement {
  version: number; broken: { rule: string; ids: string[]; words: string; detail: string; final: boolean }[];
  cost: { before: number; after: number; difference: number };
  costs: Record<string, { before: number; after: number; difference: number }>;
  call: { patient: string; name: string; by: string }[];
  budget: { limit: number | null; used: number; left: number | null };
  differences: Difference[];
  applicable: boolean;
}
/** What a place comes to, as far as the card of a move says it. */
export type Verdict = Notice & Pick<Judgement, 'broken'> & { cost: { difference: number } };
export interface PlacingChange {
  kind: 'place'; visit: string; start: string; location: string; room: string | null; team: string[]; supervisors: string[];
  override_reason: string | null; patient_agreed?: boolean;
}
export type Change = PlacingChange | { kind: 'cancel' | 'pin' | 'unpin'; visit: string };
export interface Applied { id: string; version: number; undo_until: string; reverses: string | null; judgement: Judgement }
export interface Period { id: string; start: string; end: string; version: number }
export interface Job { id: string; scenario: string; state: string; seconds: number; failure: string | null; reason: string | null; created_at: string; ended_at: string | null }
export interface Difference {
  kind: string; id: string; difference: string; before: Place | null; after: Place | null; notify: string[];
}
export interface Comparison {
  changes: Difference[]; notify: string[];
  cost: { before: number; after: number; difference: number };
  costs: Record<string, { before: number; after: number; difference: number }>;
}
export interface MadePlan extends Job {
  plan: { cost: number; bound: number | null; visits: unknown[] } | null;
  kpis: Kpis | null; comparison: Comparison | null; call: { patient: string; name: string; by: string }[] | null;
  moves: { kind: string; id: string; words: string }[] | null;
}
interface Share { part: number; whole: number; ratio: number | null }
export interface Kpis {
  visits: Share; late_visits: Share; wait: { median_days: number | null; long_days: number | null }; provider_minutes: Share; holds: Share;
  group_seats: Share; patients_with_extra_trips: Share; site_changes: number;
}
export interface Progress {
  seconds: number; phase: string; cost: number | null; bound: number | null; gap: number | null;
  planned?: number | null; late?: number | null; limit?: number | null; seconds_left?: number | null; plan_version?: number | null;
}
export interface DayPatient { patient: string; name: string; initials: string }
export interface DayItem extends Place {
  kind: 'visit' | 'group' | 'hold'; id: string; service: string; service_name: string; code: string; arrive: string; location_name: string;
  patients: DayPatient[]; state: string; minutes_late: number; participation: string | null; version: number;
}
export interface DayWaiting extends DayPatient { visit: string; service_name: string; last_start: string | null }
export interface Day {
  date: string; now: string | null; clinic: string; scenarios: string[]; items: DayItem[]; waiting: DayWaiting[];
  rooms: { id: string; code: string; location: string }[]; providers: { id: string; name: string }[];
  figures: { visits: number; arrived: number; done: number; missed: number; late_now: number; held_left: number; waiting: number };
}
