// Requests to the service. One that meets the end of the session waits until somebody has logged in again, and goes on.
import { session } from './session.svelte';
import { say } from './words';

export class Problem extends Error {
  constructor(
    readonly status: number,
    readonly title: string,
    readonly detail: string,
    readonly errors: { rule?: string | null; path?: string | null; detail: string; words?: string | null }[],
  ) {
    super(detail || title);
  }
}

export interface Answer<T> { data: T; etag: string | null; status: number }

type Options = { body?: unknown; sheet?: Blob; etag?: string | null; signal?: AbortSignal; known?: string | null };

export async function call<T>(method: string, path: string, options: Options = {}): Promise<Answer<T>> {
  for (;;) {
    const headers: Record<string, string> = {};
    if (options.body !== undefined) headers['Content-Type'] = 'application/json';
    if (options.sheet) headers['Content-Type'] = 'application/octet-stream';
    if (options.etag) headers['If-Match'] = options.etag;
    if (options.known) headers['If-None-Match'] = options.known;
    const response = await fetch(path, {
      method, headers, body: options.sheet ?? (options.body === undefined ? undefined : JSON.stringify(options.body)),
      signal: options.signal ?? null, credentials: 'same-origin',
    });
    if (response.status === 401 && !path.startsWith('/v1/sessions')) {
      await session.ask();
      continue;
    }
    if (response.status === 304) return { data: undefined as T, etag: options.known ?? null, status: 304 };
    if (!response.ok) throw await read(response);
    const data = response.status === 204 ? undefined : await response.json();
    return { data: data as T, etag: response.headers.get('etag'), status: response.status };
  }
}

async function read(response: Response): Promise<Problem> {
  const body = await response.json().catch(() => ({}));
  return new Problem(response.status, body.title ?? response.statusText, body.detail ?? '', body.errors ?? []);
}

export const get = <T>(path: string, options?: Options) => call<T>('GET', path, options);
export const post = <T>(path: string, body?: unknown, options?: Options) => call<T>('POST', path, { ...options, body });
/** Send a file as it is. */
export const send = <T>(path: string, sheet: Blob) => call<T>('POST', path, { sheet });
export const seg = encodeURIComponent;

/** Return the tag of a version of something, of the same store as a known tag: `"7.epoch"`. */
export const tagOf = (known: string | null, version: number): string => `"${version}.${known?.replaceAll('"', '').split('.').slice(1).join('.') ?? ''}"`;

/** Return what went wrong, in words: of a problem, its reasons. */
export function explain(error: unknown): string {
  if (error instanceof Problem) {
    const reasons = error.errors.map((reason) => reason.words || reason.detail).join('; ');
    return reasons || error.detail || error.title;
  }
  return error instanceof TypeError ? say('offline') : String(error); // so does fetch say that nobody answers
}
