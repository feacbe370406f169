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
    const found = await environments.resolveEnvironment(chosen);
    return found?.executable?.uri?.fsPath;
  } catch {
    return undefined;
  }
}

/** Call back whenever another interpreter is selected. */
export async function onSelectedPythonChanged(callback: () => void): Promise<vscode.Disposable> {
  const environments = await pythonEnvironments();
  return (
    environments?.onDidChangeActiveEnvironmentPath?.(callback) ??
    new vscode.Disposable(() => undefined)
  );
}

async function pythonEnvironments(): Promise<PythonApi["environments"]> {
  const extension = vscode.extensions.getExtension<PythonApi>("ms-python.python");
  if (extension === undefined || !vscode.workspace.isTrusted) {
    return undefined;
  }
  const activated = Promise.resolve(extension.activate()).catch(() => undefined);
  const late = new Promise<undefined>((resolve) => setTimeout(() => resolve(undefined), ANSWER_MS));
  return (await Promise.race([activated, late]))?.environments;
}
