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
  private cancelWait: (() => void) | undefined;
  private queue: Promise<void> = Promise.resolve();

  constructor(
    private readonly create: RunFactory,
    private readonly events: SupervisorEvents,
    private readonly clock: Clock = wallClock,
  ) {}

  /** Start the server, or start it again, as the user has asked. */
  restart(): Promise<void> {
    return this.enqueue(async () => {
      this.backoff.reset();
      await this.end();
      await this.begin();
    });
  }

  /** End the server and do not start it again. */
  stop(): Promise<void> {
    return this.enqueue(() => this.end());
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
    const run = await this.create(() => this.onEnded(generation));
    if (run === undefined) {
      // There is nothing to start; whoever makes runs has said so.
      return;
    }
    this.run = run;
    try {
      await run.start();
    } catch {
      this.onEnded(generation);
      return;
    }
    if (generation === this.generation) {
      this.events.running();
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
