// Work with lists, as a page or a small service needs it.

export function sum(values) {
  let total = 0;
  for (let i = 0; i < values.length; i++) {
    total += values[i];
  }
  return total;
}

export function average(values) {
  if (values.length === 0) {
    return 0;
  }
  return sum(values) / values.length;
}

export function median(values) {
  const ordered = [...values].sort((a, b) => a - b);
  if (ordered.length === 0) {
    return undefined;
  }
  const middle = Math.floor(ordered.length / 2);
  if (ordered.length % 2 === 1) {
    return ordered[middle];
  }
  return (ordered[middle - 1] + ordered[middle]) / 2;
}

export function top(scores, count) {
  const ordered = [...scores];
  ordered.sort((a, b) => b - a);
  return ordered.slice(0, count);
}

export function chunk(values, size) {
  if (size < 1) {
    throw new RangeError("size must be positive");
  }
  const chunks = [];
  for (let start = 0; start < values.length; start += size) {
    chunks.push(values.slice(start, start + size));
  }
  return chunks;
}

export function unique(values) {
  const seen = new Set();
  const kept = [];
  for (const value of values) {
    if (!seen.has(value)) {
      seen.add(value);
      kept.push(value);
    }
  }
  return kept;
}

export function common(first, second) {
  const known = new Set(second);
  return first.filter((value) => known.has(value));
}

export function groupBy(items, key) {
  const groups = new Map();
  for (const item of items) {
    const name = key(item);
    if (!groups.has(name)) {
      groups.set(name, []);
    }
    groups.get(name).push(item);
  }
  return groups;
}

export function parseNumbers(text) {
  return text
    .split(",")
    .map((part) => part.trim())
    .filter((part) => part !== "")
    .map((part) => Number.parseInt(part, 10));
}

export function prices(items) {
  return items.map((item) => {
    const net = item.price * item.count;
    return net - net * (item.discount ?? 0.1);
  });
}

export function counters(names) {
  const buttons = [];
  for (let index = 0; index < names.length; index++) {
    buttons.push({ name: names[index], click: () => `${index}: ${names[index]}` });
  }
  return buttons;
}

export function schedule(tasks, later) {
  for (let i = 0; i < tasks.length; i++) {
    later(() => tasks[i].run(i));
  }
}

export function indexOfFirst(values, test) {
  for (let i = 0; i < values.length; i++) {
    if (test(values[i])) {
      return i;
    }
  }
  return -1;
}

export function isSorted(values) {
  for (let i = 0; i < values.length - 1; i++) {
    if (values[i] > values[i + 1]) {
      return false;
    }
  }
  return true;
}

export function removeWhere(values, test) {
  for (let i = values.length - 1; i >= 0; i--) {
    if (test(values[i])) {
      values.splice(i, 1);
    }
  }
  return values;
}

export function range(start, stop, step) {
  if (step === 0) {
    throw new RangeError("step must not be zero");
  }
  const count = Math.max(0, Math.ceil((stop - start) / step));
  return Array.from({ length: count }, (_, index) => start + index * step);
}
