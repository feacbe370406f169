import assert from "node:assert/strict";
import { test } from "node:test";
import { withArguments } from "../src/server/command";
import { discover, pythonsForInstallation, type Surroundings } from "../src/server/discovery";
import type { Python } from "../src/server/python";

function python(program: string, minor: number, sirdab: string | null = null): Python {
  return { program, version: [3, minor], sirdab };
}

/** A machine with nothing on it but what a test puts there. */
function machine(
  parts: Partial<Surroundings> & { known?: Python[]; programs?: string[] } = {},
): Surroundings & { asked: string[] } {
  const asked: string[] = [];
  const { known = [], programs = [], ...rest } = parts;
  return {
    asked,
    configuredPath: "",
    home: "/home/user",
    programAt: async (file) => (programs.includes(file) ? file : undefined),
    programsOnPath: async () => [],
    privatePython: async () => undefined,
    selectedPython: async () => undefined,
    pythons: async () => known.map((one) => one.program),
    inspect: async (program) => {
      asked.push(program);
      return known.find((one) => one.program === program);
    },
    ...rest,
  };
}

async function commandLine(around: Surroundings): Promise<string> {
  const found = await discover(around);
  assert.equal(found.kind, "found");
  const { program, args } = withArguments(
    (found as Extract<typeof found, { kind: "found" }>).command,
    "--stdio",
  );
  return [program, ...args].join(" ");
}

async function complaint(around: Surroundings): Promise<string> {
  const found = await discover(around);
  assert.notEqual(found.kind, "found");
  return (found as Exclude<typeof found, { kind: "found" }>).message;
}

const EVERYTHING = {
  programs: ["/opt/sirdab"],
  programsOnPath: async () => ["/usr/bin/sirdab"],
  privatePython: async () => "/storage/bin/python",
  known: [python("/usr/bin/python3", 12, "0.1.0")],
};

test("the setting goes before everything", async () => {
  const around = machine({ ...EVERYTHING, configuredPath: "/opt/sirdab" });
  assert.equal(await commandLine(around), "/opt/sirdab --stdio");
});

test("a tilde in the setting is the home", async () => {
  const around = machine({ configuredPath: "~/bin/sirdab", programs: ["/home/user/bin/sirdab"] });
  assert.equal(await commandLine(around), "/home/user/bin/sirdab --stdio");
});

test("without the setting, PATH goes before a copy, and a copy before the Pythons", async () => {
  assert.equal(await commandLine(machine(EVERYTHING)), "/usr/bin/sirdab --stdio");
  const withCopy = machine({ ...EVERYTHING, programsOnPath: async () => [] });
  assert.equal(await commandLine(withCopy), "/storage/bin/python -I -m sirdab --stdio");
  assert.deepEqual(withCopy.asked, []);
});

test("the selected Python goes before others, and is asked once", async () => {
  const around = machine({
    selectedPython: async () => "/w/.venv/bin/python",
    known: [python("/w/.venv/bin/python", 12, "0.1.0"), python("/usr/bin/python3", 12, "0.1.0")],
  });
  assert.equal(await commandLine(around), "/w/.venv/bin/python -P -m sirdab --stdio");
  assert.deepEqual(around.asked, ["/w/.venv/bin/python"]);
});

test("Pythons without Sirdab are passed over", async () => {
  const around = machine({
    known: [python("/usr/bin/python3", 11), python("/usr/bin/python3.12", 12, "0.1.0")],
  });
  assert.equal(await commandLine(around), "/usr/bin/python3.12 -P -m sirdab --stdio");
});

test("a setting that is wrong is not replaced by something else", async () => {
  const cases: [unknown, RegExp][] = [
    [7, /must be a string/],
    ["sirdab", /"sirdab", which is not an absolute path/],
    ["/nowhere/sirdab", /names \/nowhere\/sirdab, and there is no such program/],
  ];
  for (const [configuredPath, expected] of cases) {
    assert.match(await complaint(machine({ ...EVERYTHING, configuredPath })), expected);
  }
});

test("what is missing is said with what to do", async () => {
  const cases: [Python[], string][] = [
    [
      [],
      'Sirdab needs Python 3.11 or newer and found none; install Python, then run "Sirdab: Install the Server".',
    ],
    [
      [python("/usr/bin/python3", 9)],
      'Sirdab needs Python 3.11 or newer and found only Python 3.9 (/usr/bin/python3); install a newer one, then run "Sirdab: Install the Server".',
    ],
    [
      [python("/usr/bin/python3", 9), python("/usr/bin/python3.11", 11)],
      'Sirdab\'s server is not on this machine; run "Sirdab: Install the Server".',
    ],
  ];
  for (const [known, message] of cases) {
    assert.equal(await complaint(machine({ known })), message);
  }
});

test("an old Python is not used even when it says that it has Sirdab", async () => {
  const found = await discover(machine({ known: [python("/usr/bin/python3", 10, "0.1.0")] }));
  assert.equal(found.kind, "absent");
});

test("an installation may use every Python that is new enough", async () => {
  const around = machine({
    known: [python("/a", 10), python("/b", 11, "0.1.0"), python("/c", 13)],
  });
  const { pythons, message } = await pythonsForInstallation(around);
  assert.deepEqual(
    pythons.map((one) => one.program),
    ["/b", "/c"],
  );
  assert.equal(message, "");
});
