/** Starts that may fail one after the other before nobody tries again by himself. */
export const MOST_FAILURES = 5;

// Milliseconds before the next start, after the first, second, … failure.
const DELAYS_MS = [500, 1_000, 2_000, 4_000];

// A server that has run this long, in milliseconds, was not failing at its start.
const STEADY_MS = 60_000;

/** Decides when a server that has ended is started again. Times are in milliseconds. */
export class Backoff {
  private failures = 0;
  private startedAt = 0;

  /** Take note of a start. */
  started(now: number): void {
    this.startedAt = now;
  }

  /** Take note of an unwanted end; returns the delay before the next start, or "give up". */
  ended(now: number): number | "give up" {
    if (now - this.startedAt >= STEADY_MS) {
      this.failures = 0;
    }
    this.failures += 1;
    if (this.failures >= MOST_FAILURES) {
      return "give up";
    }
    return DELAYS_MS[this.failures - 1] ?? DELAYS_MS[DELAYS_MS.length - 1] ?? 0;
  }

  /** Begin anew, because the user has asked for a start. */
  reset(): void {
    this.failures = 0;
  }
}
