import type { ServerAccess } from "../client/access";
import { STATISTICS, type Statistics } from "../client/protocol";

// Several answers that follow each other within this time, in milliseconds, are asked about once.
const QUIET_MS = 500;

/** Keeps the numbers of the tooltip current, without asking more often than they are looked at. */
export class Numbers {
  private timer: NodeJS.Timeout | undefined;
  private supported = true;

  constructor(
    private readonly server: ServerAccess,
    private readonly show: (statistics: Statistics | undefined) => void,
  ) {}

  /** A server has been started; an older one may not have known the question. */
  begin(): void {
    this.supported = true;
    this.show(undefined);
  }

  /** Something has happened that changes the numbers. */
  changed(): void {
    if (this.supported) {
      this.timer ??= setTimeout(() => void this.fetch(), QUIET_MS);
    }
  }

  dispose(): void {
    clearTimeout(this.timer);
    this.supported = false;
  }

  private async fetch(): Promise<void> {
    this.timer = undefined;
    try {
      this.show(await this.server.request<Statistics>(STATISTICS, {}));
    } catch {
      // The server is gone, or too old to be asked: the tooltip does without them.
      this.supported = false;
    }
  }
}
