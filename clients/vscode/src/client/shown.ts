/** An item of an inline completion as the server has sent it. */
interface Item {
  readonly command?: { readonly command: string; readonly arguments?: unknown[] };
}

/** The id of the suggestion that an item belongs to: the first argument of its command. */
export function suggestionId(item: Item): string | undefined {
  const [id] = item.command?.arguments ?? [];
  return typeof id === "string" ? id : undefined;
}

// Schemes of the documents that the server is told of.
const SCHEMES: ReadonlySet<string> = new Set(["file", "untitled", "vscode-notebook-cell"]);

/** Whether a document is of a kind that the server is told of. */
export function isServed(uri: { readonly scheme: string }): boolean {
  return SCHEMES.has(uri.scheme);
}

/** A place in a document at one moment. */
export interface Place {
  readonly uri: string;
  readonly version: number;
  readonly line: number;
  readonly character: number;
}

export function samePlace(one: Place, other: Place | undefined): boolean {
  return (
    other !== undefined &&
    one.uri === other.uri &&
    one.version === other.version &&
    one.line === other.line &&
    one.character === other.character
  );
}
