import assert from "node:assert/strict";
import { test } from "node:test";
import { type Clock, type Run, Supervisor } from "../src/server/supervisor";

/** A clock that stands still until a test moves it. */
class StillClock implements Clock {
  private time = 0;
  private alarms: { at: number; ring: () => void }[] = [];

  now(): number {
    return this.time;
  }

  after(delayMs: number, ring: () => void): () => void {
    const alarm = { at: this.time + delayMs, ring };
    this.alarms.push(alarm);
    return () => {
      this.alarms = this.alarms.filter((one) => one !== alarm);
    };
  }

  async move(ms: number): Promise<void> {
    this.time += ms;
    const due = this.alarms.filter((alarm) => alarm.at <= this.time);
    this.alarms = this.alarms.filter((alarm) => alarm.at > this.time);
    for (const alarm of due) {
      alarm.ring();
    }
    await settle();
  }
}

/** Let everything happen that waits for nothing but its turn. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 20; turn++) {
    await Promise.resolve();
  }
}

/** A supervisor over servers that a test ends as it likes. */
function house(
  options: {
    failsToStart?: () => boolean;
    absent?: boolean;
    hangs?: () => boolean;
    /** A server that hangs, and goes on hanging when it is stopped. */
    clings?: () => boolean;
    cannotBeMade?: () => boolean;
  } = {},
) {
  const clock = new StillClock();
  const seen: string[] = [];
  const servers: { die: () => void; stopped: boolean }[] = [];
  const supervisor = new Supervisor(
    async (onEnded) => {
      if (options.absent) {
        return undefined;
      }
      if (options.cannotBeMade?.()) {
        throw new Error("no room on the disk");
      }
      const server = { die: onEnded, stopped: false };
      servers.push(server);
      const hangs = options.hangs?.() ?? false;
      let giveUp: (error: Error) => void = () => undefined;
      const run: Run = {
        start: async () => {
          if (hangs) {
            await new Promise((_resolve, reject) => {
              giveUp = reject;
            });
          }
          if (options.failsToStart?.()) {
            throw new Error("it did not start");
          }
        },
        stop: async () => {
          server.stopped = true;
          if (!options.clings?.()) {
            giveUp(new Error("it was killed"));
          }
        },
      };
      return run;
    },
    {
      starting: () => seen.push("starting"),
      running: () => seen.push("running"),
      slow: (elapsedMs) => seen.push(`slow ${elapsedMs}`),
      failed: (error) => seen.push(`failed: ${(error as Error).message}`),
      waiting: (delayMs) => seen.push(`waiting ${delayMs}`),
      gaveUp: (failures) => seen.push(`gave up after ${failures}`),
    },
    clock,
  );
  return { clock, seen, servers, supervisor };
}

test("a server that ends is started again", async () => {
  const { clock, seen, servers, supervisor } = house();
  await supervisor.restart();
  servers[0]?.die();
  await clock.move(500);
  assert.deepEqual(seen, ["starting", "running", "waiting 500", "starting", "running"]);
});

test("five failures at the start, and it is left alone", async () => {
  const { clock, seen, servers, supervisor } = house({ failsToStart: () => true });
  await supervisor.restart();
  for (let turn = 0; turn < 10; turn++) {
    await clock.move(10_000);
  }
  assert.deepEqual(
    seen.filter((one) => one !== "starting" && !one.startsWith("failed")),
    ["waiting 500", "waiting 1000", "waiting 2000", "waiting 4000", "gave up after 5"],
  );
  assert.equal(servers.length, 5);
  assert.ok(servers.every((server) => server.stopped));
});

test("a failed start that is told twice counts once", async () => {
  const { clock, seen, servers, supervisor } = house({
    failsToStart: () => {
      servers.at(-1)?.die();
      return true;
    },
  });
  await supervisor.restart();
  await clock.move(500);
  assert.deepEqual(seen, ["starting", "waiting 500", "starting", "waiting 1000"]);
});

test("who asks for a start is given one, and as many as the first time", async () => {
  const { clock, seen, servers, supervisor } = house({ failsToStart: () => servers.length <= 7 });
  await supervisor.restart();
  for (let turn = 0; turn < 6; turn++) {
    await clock.move(10_000);
  }
  assert.equal(seen.at(-1), "gave up after 5");
  await supervisor.restart();
  for (let turn = 0; turn < 6; turn++) {
    await clock.move(10_000);
  }
  assert.equal(servers.length, 8);
  assert.equal(seen.at(-1), "running");
});

test("a server that ran for a while has not failed at its start", async () => {
  const { clock, seen, servers, supervisor } = house();
  await supervisor.restart();
  for (let turn = 0; turn < 8; turn++) {
    await clock.move(61_000);
    servers.at(-1)?.die();
    await clock.move(500);
  }
  assert.equal(servers.length, 9);
  assert.ok(!seen.some((one) => one.startsWith("gave up")));
});

test("an end that was wanted starts nothing", async () => {
  const { clock, seen, servers, supervisor } = house();
  await supervisor.restart();
  const stopping = supervisor.stop();
  await stopping;
  servers[0]?.die();
  await clock.move(10_000);
  assert.equal(servers.length, 1);
  assert.equal(servers[0]?.stopped, true);
  assert.deepEqual(seen, ["starting", "running"]);
});

test("a stop while it waits ends the waiting", async () => {
  const { clock, servers, supervisor } = house();
  await supervisor.restart();
  servers[0]?.die();
  await supervisor.stop();
  await clock.move(10_000);
  assert.equal(servers.length, 1);
});

test("two restarts at once leave one server", async () => {
  const { servers, supervisor } = house();
  await Promise.all([supervisor.restart(), supervisor.restart(), supervisor.restart()]);
  assert.equal(servers.filter((server) => !server.stopped).length, 1);
});

test("where there is nothing to start, nothing is tried", async () => {
  const { clock, seen, supervisor } = house({ absent: true });
  await supervisor.restart();
  await clock.move(10_000);
  assert.deepEqual(seen, ["starting"]);
});

test("a server that hangs while it starts is given up when another start is asked for", async () => {
  const { seen, servers, supervisor } = house({ hangs: () => servers.length === 1 });
  void supervisor.restart();
  await settle();
  assert.equal(servers.length, 1);
  await supervisor.restart();
  assert.equal(servers.length, 2);
  assert.equal(servers[0]?.stopped, true);
  assert.deepEqual(seen, ["starting", "starting", "running"]);
});

test("a server whose connection stays open when it is killed is given up all the same", async () => {
  const first = () => servers.length === 1;
  const { seen, servers, supervisor } = house({ hangs: first, clings: first });
  void supervisor.restart();
  await settle();
  await supervisor.restart();
  assert.equal(servers[0]?.stopped, true);
  assert.deepEqual(seen, ["starting", "starting", "running"]);
});

test("a server that is long in starting is told of, and may still come", async () => {
  const { clock, seen, supervisor } = house({ hangs: () => true });
  void supervisor.restart();
  await settle();
  await clock.move(14_000);
  assert.deepEqual(seen, ["starting"]);
  await clock.move(1_000);
  assert.deepEqual(seen, ["starting", "slow 15000"]);
});

test("a server that has started is not told to be slow", async () => {
  const { clock, seen, supervisor } = house();
  await supervisor.restart();
  await clock.move(30_000);
  assert.deepEqual(seen, ["starting", "running"]);
});

test("a server that hangs while it starts is given up after a while", async () => {
  const { clock, seen, servers, supervisor } = house({ hangs: () => servers.length === 1 });
  void supervisor.restart();
  await settle();
  await clock.move(60_000);
  assert.equal(servers[0]?.stopped, true);
  await clock.move(500);
  assert.equal(seen.at(-1), "running");
  assert.ok(seen.includes("waiting 500"));
});

test("a start that cannot even be prepared is a failure, and is tried again", async () => {
  let full = true;
  const { clock, seen, supervisor } = house({ cannotBeMade: () => full });
  await supervisor.restart();
  assert.deepEqual(seen, ["starting", "failed: no room on the disk", "waiting 500"]);
  full = false;
  await clock.move(500);
  assert.equal(seen.at(-1), "running");
});
