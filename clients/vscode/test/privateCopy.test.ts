import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import * as path from "node:path";
import { test } from "node:test";
import { pathToFileURL } from "node:url";
import {
  findPayload,
  InstallCancelled,
  InstallError,
  type InstallOptions,
  type Payload,
  PrivateCopy,
} from "../src/server/privateCopy";
import { inspectPython, isNewEnough, type Python, pythonsHere } from "../src/server/python";
import { type Finished, run } from "../src/server/run";
import { thisMachine } from "../src/server/searchPath";
import { temporaryFolder } from "./support";

const OLD_PYTHON: Python = { program: "/usr/bin/python3", version: [3, 11], sirdab: null };

// Makes a wheel: argv is the folder, the name, the version and the text of its __main__.
const MAKE_WHEEL = `
import sys, zipfile
folder, name, version, main = sys.argv[1:]
info = f"{name}-{version}.dist-info"
with zipfile.ZipFile(f"{folder}/{name}-{version}-py3-none-any.whl", "w") as wheel:
    wheel.writestr(f"{name}/__init__.py", f"__version__ = '{version}'\\n")
    wheel.writestr(f"{name}/__main__.py", main)
    wheel.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\\nName: {name}\\nVersion: {version}\\n")
    wheel.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\\nGenerator: test\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n")
    wheel.writestr(f"{info}/RECORD", "")
`;

async function usablePython(): Promise<Python | undefined> {
  for (const program of await pythonsHere(thisMachine())) {
    const python = await inspectPython(program);
    if (
      python &&
      isNewEnough(python) &&
      (await run(program, ["-c", "import ensurepip"])).code === 0
    ) {
      return python;
    }
  }
  return undefined;
}

/** What an extension carries: a wheel, and a locked requirement that is a file as well. */
async function payload(
  python: Python,
  main: string,
): Promise<{ extension: string; payload: Payload }> {
  const extension = temporaryFolder();
  const folder = path.join(extension, "server");
  const elsewhere = temporaryFolder();
  mkdirSync(folder);
  for (const args of [
    [folder, "sirdab", "0.0.1", main],
    [elsewhere, "needed", "1.0", ""],
  ]) {
    assert.equal((await run(python.program, ["-c", MAKE_WHEEL, ...args])).code, 0);
  }
  const needed = path.join(elsewhere, "needed-1.0-py3-none-any.whl");
  const hash = createHash("sha256").update(readFileSync(needed)).digest("hex");
  writeFileSync(
    path.join(folder, "requirements.txt"),
    `needed @ ${pathToFileURL(needed).href} --hash=sha256:${hash}\n`,
  );
  const found = await findPayload(extension);
  assert.ok(found);
  return { extension, payload: found };
}

function options(more: Partial<InstallOptions> = {}): InstallOptions {
  return {
    signal: new AbortController().signal,
    onStep: () => undefined,
    onOutput: () => undefined,
    ...more,
  };
}

/** Answers for a program as it would; the last answer is repeated. */
function answering(...answers: Partial<Finished>[]): NonNullable<InstallOptions["run"]> {
  let next = 0;
  return async () => ({
    code: 0,
    stdout: "",
    stderr: "",
    ...(answers[Math.min(next++, answers.length - 1)] ?? {}),
  });
}

test("a real installation runs, and its version can be replaced by another", async (context) => {
  const python = await usablePython();
  if (python === undefined) {
    context.skip("no Python here can make virtual environments");
    return;
  }
  const { payload: wheel } = await payload(python, "import needed\nprint('sirdab 0.0.1')\n");
  const folder = path.join(temporaryFolder(), "server");
  const copy = new PrivateCopy(folder);
  assert.equal(await copy.installed(), undefined);
  const steps: string[] = [];
  const inside = await copy.install(wheel, python, options({ onStep: (step) => steps.push(step) }));
  assert.equal(steps.length, 4);
  assert.deepEqual(await copy.installed(), {
    python: inside,
    wheel: "sirdab-0.0.1-py3-none-any.whl",
  });
  assert.equal((await inspectPython(inside))?.sirdab, "0.0.1");

  // What an interrupted installation and an older version leave behind.
  mkdirSync(path.join(folder, "0.0.0-1"));
  mkdirSync(path.join(folder, "0.0.0-2"));
  await copy.removeOthers(inside, path.join(folder, "0.0.0-2", "bin", "python"), undefined);
  assert.deepEqual(
    readdirSync(folder).map((name) => name.replace(/1-\d+$/, "1")),
    ["0.0.0-2", "0.0.1"],
  );
  assert.ok(existsSync(inside));
});

test("a checkout carries nothing to install", async () => {
  assert.equal(await findPayload(temporaryFolder()), undefined);
});

const PAYLOAD: Payload = {
  wheel: "/x/server/sirdab-0.1.0-py3-none-any.whl",
  requirements: "/x/r.txt",
};

test("what went wrong is said in one sentence with what to do", async () => {
  const cases: [Partial<Finished>[], RegExp][] = [
    [
      [
        {
          code: 1,
          stdout: "The virtual environment was not created because ensurepip is not available.",
        },
      ],
      /apt install python3-venv/,
    ],
    [
      [{ code: 1, stderr: "Error: [Errno 13] Permission denied: 'x'" }],
      /could not make .*Permission denied/,
    ],
    [
      [
        {},
        {
          code: 1,
          stderr:
            "WARNING: Retrying: NewConnectionError('...: [Errno -3] Temporary failure in name resolution')\n" +
            "ERROR: Could not find a version that satisfies the requirement anyio==4.1\n" +
            "ERROR: No matching distribution found for anyio==4.1",
        },
      ],
      /package index cannot be reached/,
    ],
    [
      [
        {},
        {
          code: 1,
          stderr:
            "ERROR: Could not find a version that satisfies the requirement xllamacpp==2026.10 (from versions: none)\n" +
            "ERROR: No matching distribution found for xllamacpp==2026.10",
        },
      ],
      /no package xllamacpp for this machine/,
    ],
    [
      [
        {},
        {
          code: 1,
          stderr: "ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE.",
        },
      ],
      /not the one that was checked/,
    ],
    [
      [
        {},
        {
          code: 1,
          stderr:
            "ERROR: Could not install packages due to an OSError: [Errno 28] No space left on device",
        },
      ],
      /no room on the disk/,
    ],
    [
      [{}, { code: 1, stderr: "Traceback\nERROR: something new\n" }],
      /\(something new\); see the log/,
    ],
    [[{}, {}, {}, { code: 1, stderr: "ImportError: no libgomp.so.1" }], /does not run .*libgomp/],
    [[{}, {}, {}, { code: null, stderr: "" }], /does not run \(no reason given\)/],
  ];
  for (const [answers, expected] of cases) {
    const folder = temporaryFolder();
    const copy = new PrivateCopy(folder);
    const installing = copy.install(PAYLOAD, OLD_PYTHON, options({ run: answering(...answers) }));
    await assert.rejects(installing, (error: Error) => {
      assert.ok(error instanceof InstallError);
      assert.match(error.message, expected);
      assert.ok(!error.message.includes("\n"));
      return true;
    });
    assert.deepEqual(readdirSync(folder), [], "nothing is left behind");
    assert.equal(await copy.installed(), undefined);
  }
});

test("a cancelled installation stops the running step and leaves nothing", async () => {
  const folder = temporaryFolder();
  const copy = new PrivateCopy(folder);
  const abort = new AbortController();
  const installing = copy.install(PAYLOAD, OLD_PYTHON, {
    ...options({ signal: abort.signal }),
    run: (_program, _args, runOptions) => {
      const running = run("sleep", ["600"], runOptions);
      abort.abort();
      return running;
    },
  });
  await assert.rejects(installing, InstallCancelled);
  assert.deepEqual(readdirSync(folder), []);
});

test("two windows do not install at once, and a dead one does not count", async () => {
  const folder = temporaryFolder();
  const copy = new PrivateCopy(folder);
  const lock = path.join(folder, "installing.lock");
  const failing = options({ run: answering({ code: 1, stderr: "ERROR: stop here" }) });
  writeFileSync(lock, String(process.pid));
  await assert.rejects(copy.install(PAYLOAD, OLD_PYTHON, failing), /Another window is installing/);
  assert.ok(existsSync(lock));
  const { stdout } = await run(process.execPath, ["-p", "process.pid"]);
  writeFileSync(lock, stdout.trim());
  await assert.rejects(copy.install(PAYLOAD, OLD_PYTHON, failing), /stop here/);
  assert.ok(!existsSync(lock));
});

test("a folder that cannot be written is said", async () => {
  const file = path.join(temporaryFolder(), "file");
  writeFileSync(file, "");
  const copy = new PrivateCopy(path.join(file, "server"));
  await assert.rejects(copy.install(PAYLOAD, OLD_PYTHON, options()), InstallError);
});
