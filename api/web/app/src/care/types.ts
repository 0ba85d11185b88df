// What the service answers about care over months.
export interface Alert { kind: string; episode: string; patient: string; name: string; visit: string; service: string; latest: string | null }
export interface ListedEpisode { id: string; patient: string; name: string; kind: string; pathway: string; priority: string; is_open: boolean; referred_at: string }
export interface EpisodeEvent {
  kind: string; known: string; step: string | null; number: number | null; date: string | null;
  outcome: string | null; relief_percent: number | null; name: string | null;
}
export interface OpenStep {
  visit: string; step: string; number: number; service: string; earliest: string; target: string | null; latest: string | null;
  planned: string | null; certain: boolean;
}
export interface Episode {
  id: string; patient: string; name: string; kind: string; pathway: string; priority: string; referrer: string | null; state: string;
  history: EpisodeEvent[]; open: OpenStep[];
}
export interface Waiting { patient: string; name: string; priority: string; since: string }
export interface Programme {
  id: string; name: string; service: string; required: boolean; capacity: number; min_attendees: number; min_days: number; max_days: number;
  weekday: string | null; members: (Waiting & { until: string | null })[]; waiting: Waiting[];
  sessions: { group: string; date: string; attended: string[] }[]; next: { earliest: string; latest: string } | null;
}
export interface BookedSession {
  group: string; state: string; start: string; end: string; location: string; room: string | null; team: string[]; supervisors: string[];
  attendees: string[]; candidates: string[]; version: number;
}
