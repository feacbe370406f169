import * as vscode from "vscode";

/** The part that is used of what the Python extension exports. */
interface PythonApi {
  readonly environments?: {
    getActiveEnvironmentPath(resource?: vscode.Uri): { path: string };
    resolveEnvironment(environment: {
      path: string;
    }): Promise<{ executable?: { uri?: vscode.Uri } } | undefined>;
    readonly onDidChangeActiveEnvironmentPath?: vscode.Event<unknown>;
  };
}

// The Python extension may look through the whole machine first. Sirdab does not wait longer.
const ANSWER_MS = 10_000;

/**
 * The interpreter that the Python extension has selected, if that extension is there.
 *
 * In a workspace that is not trusted there is none: it may be a file of that workspace.
 */
export async function selectedPython(): Promise<string | undefined> {
  const environments = await pythonEnvironments();
  if (environments === undefined) {
    return undefined;
  }
  try {
    const chosen = environments.getActiveEnvironmentPath(
      vscode.workspace.workspaceFolders?.[0]?.uri,
    );
    const found = await inTime(environments.resolveEnvironment(chosen));
    return found?.executable?.uri?.fsPath;
  } catch {
    return undefined;
  }
}

/** Call back whenever another interpreter is selected; nothing where that is not told. */
export async function onSelectedPythonChanged(
  callback: () => void,
): Promise<vscode.Disposable | undefined> {
  return (await pythonEnvironments())?.onDidChangeActiveEnvironmentPath?.(callback);
}

async function pythonEnvironments(): Promise<PythonApi["environments"]> {
  const extension = vscode.extensions.getExtension<PythonApi>("ms-python.python");
  if (extension === undefined || !vscode.workspace.isTrusted) {
    return undefined;
  }
  const activated = Promise.resolve(extension.activate()).catch(() => undefined);
  return (await inTime(activated))?.environments;
}

/** Wait for an answer, but not for one that takes too long. */
async function inTime<T>(answer: Promise<T>): Promise<T | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => resolve(undefined), ANSWER_MS);
  });
  try {
    return await Promise.race([answer, late]);
  } finally {
    clearTimeout(timer);
  }
}
