// What the checks have in common.

import assert from "node:assert/strict";

export class Key {
  static compared = 0;

  constructor(value) {
    this.value = value;
  }
}

// Arrays are searched by these; a check of sets calls none of them.
export function searches(work) {
  const { includes, indexOf } = Array.prototype;
  let count = 0;
  Array.prototype.includes = function (...given) {
    count += 1;
    return includes.apply(this, given);
  };
  Array.prototype.indexOf = function (...given) {
    count += 1;
    return indexOf.apply(this, given);
  };
  try {
    work();
  } finally {
    Object.assign(Array.prototype, { includes, indexOf });
  }
  return count;
}

export async function rejects(promise, kind) {
  await assert.rejects(promise, kind);
}

// Whether two values made after the same start of the ordinary generator are alike.
export function foretold(make) {
  const { random } = Math;
  Math.random = () => 0.25;
  try {
    return make() === make();
  } finally {
    Math.random = random;
  }
}
