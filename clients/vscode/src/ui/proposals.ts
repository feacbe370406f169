import * as path from "node:path";
import * as vscode from "vscode";
import { PROPOSE } from "../client/protocol";
import { setContext } from "./contextKeys";
import { unlinked } from "./unlinked";

const SCHEME = "sirdab-proposal";
const CHOICE = "[Apply](command:sirdab.applyProposal) or [Discard](command:sirdab.discardProposal)";

/** What the model wrote, while the user looks at it. */
interface Proposal {
  readonly before: vscode.Uri;
  readonly after: vscode.Uri;
  readonly decide: (isWanted: boolean) => void;
}

/**
 * Shows what the model wrote beside what is there, and applies it when the user says so.
 *
 * VS Code's own confirmation of an edit is a panel with a box for each place, none of them ticked.
 * That suits a rename over many files; of a fix in one file nobody wants a half.
 */
export class Proposals implements vscode.Disposable {
  private readonly texts = new Map<string, string>();
  private readonly disposables: vscode.Disposable[] = [];
  private current: Proposal | undefined;
  private count = 0;

  constructor() {
    this.disposables.push(
      vscode.workspace.registerTextDocumentContentProvider(SCHEME, {
        provideTextDocumentContent: (uri) => this.texts.get(uri.toString()) ?? "",
      }),
      vscode.commands.registerCommand(PROPOSE, (edit: vscode.WorkspaceEdit) => this.propose(edit)),
      vscode.window.tabGroups.onDidChangeTabs(({ closed }) => {
        // Whoever closes the comparison does not want it.
        if (closed.some((tab) => shows(tab, this.current?.after))) {
          this.discard();
        }
      }),
    );
  }

  /**
   * Show an edit of one document, or of one that is not there yet, and wait for the decision.
   *
   * @returns Whether it was applied.
   */
  async propose(edit: vscode.WorkspaceEdit): Promise<boolean> {
    const [entry, ...others] = edit.entries();
    if (entry === undefined || others.length > 0) {
      // The server writes none of this kind.
      return false;
    }
    // One at a time: a second one means that the first is no longer of interest.
    this.discard();
    const [uri, edits] = entry;
    const document = (await exists(uri)) ? await vscode.workspace.openTextDocument(uri) : undefined;
    const version = document?.version;
    const wanted = await this.show(uri, document, edits);
    if (!wanted) {
      return false;
    }
    if (document?.version !== version || (document === undefined && (await exists(uri)))) {
      void vscode.window.showWarningMessage(
        "Sirdab: The document has changed meanwhile, so nothing is done; ask again.",
      );
      return false;
    }
    const applied = await vscode.workspace.applyEdit(confirmed(uri, edits, document === undefined));
    if (applied) {
      await vscode.window.showTextDocument(uri);
    }
    return applied;
  }

  apply(): void {
    this.current?.decide(true);
  }

  discard(): void {
    this.current?.decide(false);
  }

  dispose(): void {
    this.discard();
    for (const one of this.disposables) {
      one.dispose();
    }
  }

  /** Show the comparison until the user has decided. */
  private async show(
    uri: vscode.Uri,
    document: vscode.TextDocument | undefined,
    edits: readonly vscode.TextEdit[],
  ): Promise<boolean> {
    const name = path.posix.basename(uri.path);
    const query = String(++this.count);
    // The path is kept, because the language is told by the name of the file.
    const after = vscode.Uri.from({ scheme: SCHEME, path: uri.path, query });
    const before = document?.uri ?? after.with({ query: `${query}-nothing` });
    this.texts.set(after.toString(), document ? edited(document, edits) : joined(edits));
    const decision = new Promise<boolean>((resolve) => {
      this.current = { before, after, decide: resolve };
    });
    setContext("hasProposal", true);
    try {
      await vscode.commands.executeCommand(
        "vscode.diff",
        before,
        after,
        `${name}: what the model wrote`,
        { preview: true },
      );
      ask(unlinked(name), document === undefined, decision);
      return await decision;
    } finally {
      this.texts.delete(after.toString());
      this.current = undefined;
      setContext("hasProposal", false);
      await closeTabs(after);
    }
  }
}

/**
 * Ask for the decision in a message that goes when it has been made, in whatever way.
 *
 * A message with buttons stays until it is answered, also when what it asks about is gone; no
 * extension can take it away. One that shows progress ends with what it waits for.
 */
function ask(name: string, isNew: boolean, decision: Promise<boolean>): void {
  const title = isNew
    ? `Sirdab: Make the new file ${name}? A model wrote it and guessed what the tests expect, so read it first: ${CHOICE}.`
    : `Sirdab: Change ${name} like this? A model wrote it, so read it first: ${CHOICE}.`;
  void vscode.window.withProgress(
    { location: vscode.ProgressLocation.Notification, title },
    (progress) => {
      // Nothing is under way but the reader, so the bar below the message stands still.
      progress.report({ increment: 0 });
      return decision;
    },
  );
}

/** The text of a document with edits in it. */
function edited(document: vscode.TextDocument, edits: readonly vscode.TextEdit[]): string {
  let text = document.getText();
  const inOrder = [...edits].sort((one, other) =>
    other.range.start.isEqual(one.range.start)
      ? other.range.end.compareTo(one.range.end)
      : other.range.start.compareTo(one.range.start),
  );
  for (const { range, newText } of inOrder) {
    text =
      text.slice(0, document.offsetAt(range.start)) +
      newText +
      text.slice(document.offsetAt(range.end));
  }
  return text;
}

function joined(edits: readonly vscode.TextEdit[]): string {
  return edits.map((one) => one.newText).join("");
}

/** The same edit without the wish that VS Code asks for each place of it. */
function confirmed(
  uri: vscode.Uri,
  edits: readonly vscode.TextEdit[],
  isNew: boolean,
): vscode.WorkspaceEdit {
  const edit = new vscode.WorkspaceEdit();
  if (isNew) {
    edit.createFile(uri, { overwrite: false, ignoreIfExists: false });
  }
  edit.set(uri, [...edits]);
  return edit;
}

async function exists(uri: vscode.Uri): Promise<boolean> {
  const open = vscode.workspace.textDocuments.some((one) => one.uri.toString() === uri.toString());
  if (open) {
    return true;
  }
  try {
    await vscode.workspace.fs.stat(uri);
    return true;
  } catch {
    return false;
  }
}

function shows(tab: vscode.Tab, after: vscode.Uri | undefined): boolean {
  return (
    after !== undefined &&
    tab.input instanceof vscode.TabInputTextDiff &&
    tab.input.modified.toString() === after.toString()
  );
}

async function closeTabs(after: vscode.Uri): Promise<void> {
  const tabs = vscode.window.tabGroups.all.flatMap((group) => group.tabs);
  const ours = tabs.filter((tab) => shows(tab, after));
  if (ours.length > 0) {
    await vscode.window.tabGroups.close(ours);
  }
}
