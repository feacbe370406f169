/** What the editor knows of one setting, as `WorkspaceConfiguration.inspect` tells it. */
export interface Inspected {
  readonly globalValue?: unknown;
  readonly workspaceValue?: unknown;
  readonly workspaceFolderValue?: unknown;
}

/** One setting that the extension declares. */
export interface Declared {
  /** Key without the section, for example `completion.debounceMs`. */
  readonly key: string;
  /** Whether only the user may set it, and no workspace. */
  readonly userOnly: boolean;
}

/** Lists of which every level counts: no workspace can take away what the user has excluded. */
const ADDS_UP = new Set(["privacy.exclude"]);

export type Tree = { [name: string]: unknown };

/** Keys that are this client's own business; the server does not know them. */
const CLIENT_ONLY = new Set(["path"]);

/**
 * The settings of the server, read from the extension's own manifest, which is generated
 * from the server's schema.
 */
export function declaredSettings(manifest: unknown): Declared[] {
  const groups = (manifest as { contributes?: { configuration?: unknown } }).contributes
    ?.configuration;
  const found: Declared[] = [];
  for (const group of Array.isArray(groups) ? groups : []) {
    const properties = (group as { properties?: Record<string, { scope?: string }> }).properties;
    for (const [name, property] of Object.entries(properties ?? {})) {
      const key = name.replace(/^sirdab\./, "");
      if (!CLIENT_ONLY.has(key)) {
        found.push({ key, userOnly: property.scope === "machine" });
      }
    }
  }
  return found;
}

/**
 * The values that somebody has set, without those that are only defaults: what nobody has
 * set here is left to the user's config.toml and to the server.
 */
export function explicitValues(
  declared: readonly Declared[],
  inspect: (key: string) => Inspected | undefined,
): Map<string, unknown> {
  const found = new Map<string, unknown>();
  for (const { key, userOnly } of declared) {
    const seen = inspect(key);
    const value = userOnly
      ? seen?.globalValue
      : ADDS_UP.has(key)
        ? together(seen)
        : (seen?.workspaceFolderValue ?? seen?.workspaceValue ?? seen?.globalValue);
    if (value !== undefined) {
      found.set(key, value);
    }
  }
  return found;
}

/** The values of all levels as one list; a value that is no list is left for the server to judge. */
function together(seen: Inspected | undefined): unknown {
  const levels = [seen?.workspaceFolderValue, seen?.workspaceValue, seen?.globalValue].filter(
    (level) => level !== undefined,
  );
  const odd = levels.find((level) => !Array.isArray(level));
  return odd ?? (levels.length > 0 ? [...new Set(levels.flat())] : undefined);
}

/**
 * What the server has not been told by `initialize`, and may be told after it.
 *
 * It keeps what it was told, so a value that is still the same need not be repeated; a wrong one
 * would be complained of twice.
 */
export function newSince(
  declared: readonly Declared[],
  sent: ReadonlyMap<string, unknown>,
  now: ReadonlyMap<string, unknown>,
): Map<string, unknown> {
  const userOnly = new Set(declared.filter((one) => one.userOnly).map((one) => one.key));
  return new Map(
    [...now].filter(([key, value]) => !userOnly.has(key) && !isSame(value, sent.get(key))),
  );
}

/** Whether something is gone from a list that the server adds to what it was told before. */
function lacks(before: unknown, now: unknown, key: string): boolean {
  return (
    ADDS_UP.has(key) &&
    Array.isArray(before) &&
    Array.isArray(now) &&
    before.some((one) => !now.includes(one))
  );
}

function isSame(one: unknown, other: unknown): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}

/** Dotted keys as nested objects. */
export function asTree(values: ReadonlyMap<string, unknown>): Tree {
  const tree: Tree = {};
  for (const [key, value] of values) {
    const names = key.split(".");
    const last = names.pop();
    let node = tree;
    for (const name of names) {
      node[name] ??= {};
      node = node[name] as Tree;
    }
    if (last !== undefined) {
      node[last] = value;
    }
  }
  return tree;
}

/** Read when the server starts only: what it offers depends on it. */
const AT_START = new Set(["completion.menu"]);

/**
 * Whether the server has to be started again to take a change.
 *
 * That is so for what it takes from `initialize` alone, and for a value that was there at the
 * start and is gone now: nothing can be sent that says so.
 *
 * @param sent What `initialize` was sent.
 * @param now What is set now.
 */
export function needsRestart(
  declared: readonly Declared[],
  sent: ReadonlyMap<string, unknown>,
  now: ReadonlyMap<string, unknown>,
): boolean {
  return declared.some(({ key, userOnly }) => {
    const vanished = (sent.has(key) && !now.has(key)) || lacks(sent.get(key), now.get(key), key);
    return vanished || ((userOnly || AT_START.has(key)) && !isSame(sent.get(key), now.get(key)));
  });
}
