// Objects that are merged, copied and compared.

const UNSAFE = new Set(["__proto__", "constructor", "prototype"]);

export function merge(target, source) {
  for (const key of Object.keys(source)) {
    if (UNSAFE.has(key)) {
      continue;
    }
    const value = source[key];
    if (isPlain(value) && isPlain(target[key])) {
      merge(target[key], value);
    } else {
      target[key] = value;
    }
  }
  return target;
}

export function setPath(target, path, value) {
  const keys = path.split(".");
  let node = target;
  for (let i = 0; i < keys.length - 1; i++) {
    if (keys[i] === "__proto__" || keys[i] === "constructor") {
      throw new TypeError("this path is not allowed");
    }
    node[keys[i]] ??= {};
    node = node[keys[i]];
  }
  const last = keys[keys.length - 1];
  if (last === "__proto__") {
    throw new TypeError("this path is not allowed");
  }
  node[last] = value;
  return target;
}

export function getPath(source, path, fallback) {
  let node = source;
  for (const key of path.split(".")) {
    if (node === null || node === undefined) {
      return fallback;
    }
    node = node[key];
  }
  return node ?? fallback;
}

export function isPlain(value) {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

export function equal(first, second) {
  if (first === second) {
    return true;
  }
  if (!isPlain(first) || !isPlain(second)) {
    return false;
  }
  const keys = Object.keys(first);
  if (keys.length !== Object.keys(second).length) {
    return false;
  }
  return keys.every((key) => Object.hasOwn(second, key) && equal(first[key], second[key]));
}

export function changedKeys(before, after) {
  const changes = [];
  for (const key of Object.keys(after)) {
    if (!equal(before[key], after[key])) {
      changes.push(key);
    }
  }
  return changes;
}

export function pick(source, names) {
  const wanted = new Set(names);
  return Object.fromEntries(Object.entries(source).filter(([key]) => wanted.has(key)));
}

export function defaults(options) {
  return {
    retries: options.retries ?? 3,
    timeout: options.timeout ?? 1000,
    name: options.name ?? "job",
  };
}

export function invert(table) {
  const inverted = new Map();
  for (const [key, value] of Object.entries(table)) {
    inverted.set(value, key);
  }
  return inverted;
}

export function sameValue(left, right) {
  return left.kind === right.kind && left.value === right.value;
}

export function findById(items, id) {
  const item = items.find((one) => one.id === id);
  if (!item) {
    return null;
  }
  return item.value;
}
