import * as vscode from "vscode";
import type { Surroundings } from "./discovery";
import type { PrivateCopy } from "./privateCopy";
import { inspectPython, pythonsHere } from "./python";
import { programAt, programsNamed, thisMachine } from "./searchPath";
import { selectedPython } from "./selectedPython";

/** This machine and this window, as discovery asks for them. */
export function surroundings(copy: PrivateCopy): Surroundings {
  const folders = vscode.workspace.isTrusted ? [] : (vscode.workspace.workspaceFolders ?? []);
  const machine = thisMachine(folders.map((folder) => folder.uri.fsPath));
  return {
    configuredPath: vscode.workspace.getConfiguration("sirdab").inspect("path")?.globalValue,
    home: machine.home,
    programAt: (file) => programAt(file, machine),
    programsOnPath: () => programsNamed("sirdab", machine),
    privatePython: async () => (await copy.installed())?.python,
    selectedPython,
    pythons: () => pythonsHere(machine),
    inspect: (python) => inspectPython(python),
  };
}
