import * as path from "node:path";
import * as vscode from "vscode";
import { pythonsForInstallation, type Surroundings } from "../server/discovery";
import {
  findPayload,
  InstallBusy,
  InstallCancelled,
  InstallError,
  type PrivateCopy,
} from "../server/privateCopy";

const SHOW_LOG = "Show Log";

/** The wheel to install when the copy has another version than this extension carries. */
export async function newerWheel(
  extensionFolder: string,
  copy: PrivateCopy,
): Promise<string | undefined> {
  const carried = (await findPayload(extensionFolder))?.wheel;
  const installed = (await copy.installed())?.wheel;
  if (carried === undefined || installed === undefined || path.basename(carried) === installed) {
    return undefined;
  }
  return path.basename(carried);
}

/**
 * Install the server into this extension's own folder, with progress.
 *
 * @param onStep Called with a sentence for the status item.
 * @param isAsked Whether the user has asked for it. Unasked, it leaves the work to another window.
 * @returns Whether it is there now. What went wrong has been told.
 */
export async function installServer(
  extensionFolder: string,
  copy: PrivateCopy,
  around: Surroundings,
  log: vscode.LogOutputChannel,
  onStep: (message: string) => void,
  isAsked = true,
): Promise<boolean> {
  const payload = await findPayload(extensionFolder);
  if (payload === undefined) {
    void vscode.window.showErrorMessage(
      'This build of the extension carries no server; install it with: pip install "sirdab[embedded]"',
    );
    return false;
  }
  const { pythons, message } = await pythonsForInstallation(around);
  // The selected one where there is one, else the usual one of this machine.
  const [python] = pythons;
  if (python === undefined) {
    void vscode.window.showErrorMessage(message);
    return false;
  }
  const before = await copy.installed();
  try {
    const installed = await vscode.window.withProgress(
      {
        location: vscode.ProgressLocation.Notification,
        title: "Installing Sirdab's server",
        cancellable: true,
      },
      async (progress, cancellation) => {
        const abort = new AbortController();
        cancellation.onCancellationRequested(() => abort.abort());
        return copy.install(payload, python, {
          signal: abort.signal,
          onStep: (step) => {
            progress.report({ message: step });
            onStep(`Installing Sirdab's server: ${step}.`);
          },
          onOutput: (text) => log.info(text.trimEnd()),
        });
      },
    );
    // Other windows may still run from the one before; it goes the next time.
    await copy.removeOthers(installed, before?.python);
    return true;
  } catch (error) {
    if (error instanceof InstallBusy && !isAsked) {
      log.info(error.message);
    } else if (!(error instanceof InstallCancelled)) {
      await tellFailure(error, log);
    }
    return false;
  }
}

async function tellFailure(error: unknown, log: vscode.LogOutputChannel): Promise<void> {
  const message =
    error instanceof InstallError
      ? error.message
      : `The server could not be installed (${String(error)}); see the log.`;
  log.error(message);
  if ((await vscode.window.showErrorMessage(message, SHOW_LOG)) === SHOW_LOG) {
    log.show();
  }
}
