// A client for a web service: retries, pages and events.

export interface Answer {
  status: number;
  json(): Promise<unknown>;
}

export type Fetch = (url: string, options?: { signal?: AbortSignal }) => Promise<Answer>;

export interface Page<T> {
  items: T[];
  next: string | null;
}

export class ServiceError extends Error {
  constructor(readonly status: number) {
    super(`the service answered ${status}`);
    this.status = status;
  }
}

export class Client {
  constructor(
    private readonly fetch: Fetch,
    private readonly pause: (ms: number) => Promise<void>,
  ) {
    this.fetch = fetch;
    this.pause = pause;
  }

  async get(url: string): Promise<unknown> {
    const answer = await this.fetch(url);
    if (answer.status !== 200) {
      throw new ServiceError(answer.status);
    }
    return answer.json();
  }

  async getWithRetries(url: string, attempts = 3): Promise<unknown> {
    for (let attempt = 0; attempt < attempts - 1; attempt++) {
      try {
        return await this.get(url);
      } catch (error) {
        if (!(error instanceof ServiceError) || error.status < 500) {
          throw error;
        }
        await this.pause(100 * 2 ** attempt);
      }
    }
    return this.get(url);
  }

  async all(urls: readonly string[]): Promise<unknown[]> {
    return await Promise.all(urls.map((url) => this.get(url)));
  }

  async pages<T>(url: string): Promise<T[]> {
    const items: T[] = [];
    let next: string | null = url;
    while (next !== null) {
      const page = (await this.get(next)) as Page<T>;
      items.push(...page.items);
      next = page.next;
    }
    return items;
  }
}

type Listener<T> = (event: T) => void;

export class Emitter<T> {
  private listeners: Listener<T>[] = [];

  on(listener: Listener<T>): () => void {
    this.listeners.push(listener);
    return () => {
      this.listeners = this.listeners.filter((one) => one !== listener);
    };
  }

  emit(event: T): void {
    for (const listener of [...this.listeners]) {
      listener(event);
    }
  }
}

export function parseLine(line: string): { name: string; value: number } | null {
  const match = /^(\w+)\s*=\s*(-?\d+)$/.exec(line.trim());
  if (match === null) {
    return null;
  }
  return { name: match[1], value: Number.parseInt(match[2], 10) };
}

export function parsePort(text: string): number {
  const port = Number.parseInt(text, 10);
  if (Number.isNaN(port) || port < 1 || port > 65535) {
    throw new RangeError(`${text} is no port`);
  }
  return port;
}

export function debounce<A extends unknown[]>(
  call: (...given: A) => void,
  timer: { set(run: () => void): number; clear(id: number): void },
): (...given: A) => void {
  let pending: number | undefined;
  return (...given) => {
    if (pending !== undefined) {
      timer.clear(pending);
    }
    pending = timer.set(() => {
      pending = undefined;
      call(...given);
    });
  };
}

export async function waitFor(
  check: () => Promise<boolean>,
  pause: () => Promise<void>,
  tries: number,
): Promise<boolean> {
  for (let i = 0; i < tries; i++) {
    if (await check()) {
      return true;
    }
    await pause();
  }
  return false;
}

export async function deliver(
  send: (to: string, text: string) => Promise<void>,
  people: readonly string[],
  text: string,
): Promise<number> {
  let count = 0;
  for (const person of people) {
    await send(person, text);
    count += 1;
  }
  return count;
}

export function progress(done: number, total: number): string {
  if (total === 0) {
    return "100 %";
  }
  return `${Math.round((100 * done) / total)} %`;
}

export function window<T>(items: readonly T[], start: number, count: number): T[] {
  return items.slice(start, start + count);
}

export function deadline(now: number, options: { timeout?: number }): number {
  return now + (options.timeout ?? 1000);
}

export function nameOf(user: { profile?: { name?: string } } | undefined): string {
  const name = user?.profile?.name;
  if (name === undefined) {
    return "somebody";
  }
  return name;
}

export function ranks(scores: readonly number[]): number[] {
  const places = new Map<number, number>();
  const ordered = [...scores].sort((a, b) => b - a);
  for (let i = ordered.length - 1; i >= 0; i--) {
    places.set(ordered[i], i + 1);
  }
  return scores.map((score) => places.get(score) ?? 0);
}
