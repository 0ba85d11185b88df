// What the service answers to administrators.
export interface Account { id: string; name: string; role: string; provider: string | null; subject: string | null; active: boolean; second_factor: boolean; rests_until: string | null }
export interface Token { id: string; name: string; expires_at: string | null; revoked: boolean; secret?: string }
export interface Link { id: string; visit: string; created_by: string; created_at: string; expires_at: string; last_used_at: string | null; revoked: boolean }
export interface Feed { id: string; kind: string; subject: string; created_at: string; last_used_at: string | null; revoked: boolean }
export interface Entry { number: number; at: string; actor: string; role: string; action: string; kind: string; object: string; outcome: string; detail: Record<string, unknown> }
