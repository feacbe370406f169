import { Backoff, MOST_FAILURES } from "./backoff";

/** One run of the server, from start to end. */
export interface Run {
  /** Resolves when the server answers; rejects when it does not come up. */
  start(): Promise<void>;
  /** Ends the server; resolves when it is gone. Never rejects. */
  stop(): Promise<void>;
}

export type RunFactory = (onEnded: () => void) => Promise<Run | undefined>;

export interface SupervisorEvents {
  /** A start begins. */
  starting(): void;
  running(): void;
  /** The server has been starting for longer than it ever should; it is still waited for. */
  slow(elapsedMs: number): void;
  /** A start has failed; why, for the log. */
  failed(error: unknown): void;
  /** The server has ended and is started again after `delayMs`. */
  waiting(delayMs: number): void;
  /** The server has failed too often and is not started again. */
  gaveUp(failures: number): void;
}

export interface Clock {
  now(): number;
  /** Calls back once; the function returned prevents it. */
  after(delayMs: number, callback: () => void): () => void;
}

// A server answers within a second; a machine that is very busy may take some more. Who waits for
// longer than this, in milliseconds, is told that something is wrong.
const SLOW_MS = 15_000;

// A server that has not answered for this long since its start, in milliseconds, never will.
const START_MS = 60_000;

export const wallClock: Clock = {
  now: () => Date.now(),
  after: (delayMs, callback) => {
    const timer = setTimeout(callback, delayMs);
    return () => clearTimeout(timer);
  },
};

/**
 * Keeps one server running: starts it again after a failure, later each time, and stops
 * trying when that does not help. What is asked for while something is under way is done
 * after it, in order.
 */
export class Supervisor {
  private readonly backoff = new Backoff();
  private run: Run | undefined;
  private generation = 0;
  private isBeginning = false;
  private cancelWait: (() => void) | undefined;
  private giveUp: (() => void) | undefined;
  private queue: Promise<void> = Promise.resolve();

  constructor(
    private readonly create: RunFactory,
    private readonly events: SupervisorEvents,
    private readonly clock: Clock = wallClock,
  ) {}

  /** Start the server, or start it again, as the user has asked. */
  restart(): Promise<void> {
    this.interrupt();
    return this.enqueue(async () => {
      this.backoff.reset();
      await this.end();
      await this.begin();
    });
  }

  /** End the server and do not start it again. */
  stop(): Promise<void> {
    this.interrupt();
    return this.enqueue(() => this.end());
  }

  /** Give up a start that is under way: it may hang, and what is asked for next waits for it. */
  private interrupt(): void {
    if (this.isBeginning) {
      this.generation += 1;
      void this.run?.stop();
      // A server that is killed may leave children behind that keep the connection open.
      this.giveUp?.();
    }
  }

  private enqueue(work: () => Promise<void>): Promise<void> {
    const done = this.queue.then(work);
    this.queue = done.catch(() => undefined);
    return done;
  }

  private async begin(): Promise<void> {
    const generation = ++this.generation;
    this.events.starting();
    this.backoff.started(this.clock.now());
    this.isBeginning = true;
    try {
      const run = await this.create(() => this.onEnded(generation));
      if (run === undefined || generation !== this.generation) {
        // There is nothing to start, and whoever makes runs has said so; or it is not wanted now.
        return;
      }
      this.run = run;
      await this.inTime(run.start());
    } catch (error) {
      if (generation === this.generation) {
        this.events.failed(error);
        this.onEnded(generation);
      }
      return;
    } finally {
      this.isBeginning = false;
    }
    if (generation === this.generation) {
      this.events.running();
    }
  }

  private async inTime(start: Promise<void>): Promise<void> {
    const alarms: (() => void)[] = [];
    const limit = new Promise<never>((_resolve, reject) => {
      this.giveUp = () => reject(new Error("Another start was asked for."));
      alarms.push(
        this.clock.after(SLOW_MS, () => this.events.slow(SLOW_MS)),
        this.clock.after(START_MS, () =>
          reject(new Error(`The server has not answered for ${START_MS / 1000} seconds.`)),
        ),
      );
    });
    try {
      await Promise.race([start, limit]);
    } finally {
      this.giveUp = undefined;
      for (const cancel of alarms) {
        cancel();
      }
    }
  }

  private async end(): Promise<void> {
    this.generation += 1;
    this.cancelWait?.();
    this.cancelWait = undefined;
    const { run } = this;
    this.run = undefined;
    await run?.stop();
  }

  private onEnded(generation: number): void {
    // The end of an older server, or one that was wanted, or one that was told already.
    if (generation !== this.generation) {
      return;
    }
    this.generation += 1;
    const { run } = this;
    this.run = undefined;
    void run?.stop();
    const delay = this.backoff.ended(this.clock.now());
    if (delay === "give up") {
      this.events.gaveUp(MOST_FAILURES);
      return;
    }
    this.events.waiting(delay);
    const waiting = this.generation;
    this.cancelWait = this.clock.after(delay, () => {
      void this.enqueue(async () => {
        if (waiting === this.generation) {
          await this.begin();
        }
      });
    });
  }
}
