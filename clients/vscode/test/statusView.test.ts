import assert from "node:assert/strict";
import { test } from "node:test";
import { OFF_BY_SETTINGS, type State, type Statistics, type Status } from "../src/client/protocol";
import {
  escapeMarkdown,
  isOffInFile,
  type Situation,
  shortName,
  statusView,
  withFile,
} from "../src/ui/statusView";

function server(state: State, more: Partial<Status> = {}): Situation {
  return { kind: "server", status: { state, message: "A sentence.", ...more } };
}

test("every state looks its own way", () => {
  const situations: Situation[] = [
    { kind: "starting", message: "" },
    { kind: "slow", message: "" },
    { kind: "absent", message: "" },
    { kind: "failed", message: "" },
    server("ready"),
    server("busy"),
    server("degraded"),
    server("offline"),
    server("disabled"),
  ];
  const texts = situations.map((situation) => statusView(situation, undefined).text);
  assert.equal(new Set(texts).size, texts.length);
  assert.ok(texts.every((text) => text.includes("Sirdab")));
});

const OFF: Status = { state: "disabled", message: OFF_BY_SETTINGS };

test("what the user's own file has turned off is told from what is off here", () => {
  const told = withFile(OFF, false);
  assert.ok(told.message.includes("config.toml (completion.enabled)"));
  assert.ok(isOffInFile({ kind: "server", status: told }));
  for (const [status, isSetHere] of [
    [OFF, true],
    [{ ...OFF, message: "Ghost text is snoozed until 14:30." }, false],
    [{ ...OFF, state: "ready" }, false],
  ] as const) {
    assert.equal(withFile(status, isSetHere), status);
    assert.ok(!isOffInFile({ kind: "server", status }));
  }
});

test("a state of a newer server is shown without a fault", () => {
  assert.equal(statusView(server("dreaming" as State), undefined).text, "Sirdab");
});

test("the model is in the text when it is ready, and short", () => {
  const ready = (model: string) => statusView(server("ready", { model }), undefined).text;
  assert.equal(ready("qwen2.5-coder-0.5b"), "$(check) Sirdab: qwen2.5-coder-0.5b");
  assert.equal(
    ready("/m/qwen2.5-coder-0.5b-instruct-q4_k_m.gguf"),
    "$(check) Sirdab: qwen2.5-coder-0.5b-instruct",
  );
  assert.equal(ready("C:\\m\\a.gguf"), "$(check) Sirdab: a");
});

test("a name cannot draw icons, and is cut", () => {
  assert.equal(shortName("$(error) x"), "(error) x");
  assert.equal(shortName("x".repeat(100)).length, 32);
});

const STATISTICS: Statistics = {
  offered: 9,
  shown: 7,
  accepted: 3,
  acceptedToday: 12,
  last: { latencyMs: 233.4, tokensRead: 5, tokensWritten: 9 },
};

test("the tooltip has the endpoint, the model and the numbers", () => {
  const { tooltip } = statusView(
    server("ready", { model: "coder", endpoint: "http://127.0.0.1:8012" }),
    STATISTICS,
  );
  for (const part of ["A sentence\\.", "coder", "8012", "233 ms", "| 5 |", "| 12 |"]) {
    assert.ok(tooltip.includes(part), `${part} in ${tooltip}`);
  }
});

test("without numbers the tooltip does without them", () => {
  const before = statusView(server("ready"), undefined).tooltip;
  assert.ok(!before.includes("today"));
  const fresh = statusView(server("ready"), { ...STATISTICS, last: null }).tooltip;
  assert.ok(fresh.includes("today") && !fresh.includes("ms"));
});

test("names from a server cannot become Markdown", () => {
  const hostile = "[click](command:x) <b> | `a` ![](http://x)\n# h";
  const { tooltip, label } = statusView(server("ready", { model: hostile }), undefined);
  assert.ok(!tooltip.includes("[click]("));
  assert.ok(!tooltip.includes("\n# h"));
  assert.ok(!tooltip.includes("http:"));
  assert.equal(label, "Sirdab: A sentence.");
  assert.equal(escapeMarkdown("a|b\nc"), "a\\|b c");
});
