/** What the menu depends on. */
export interface MenuState {
  readonly hasServer: boolean;
  readonly isInstalled: boolean;
  /** The setting sirdab.path names no program. */
  readonly hasWrongPath: boolean;
  /** The server says that something has to be downloaded. */
  readonly needsModel: boolean;
  /** Whether ghost text is on by the settings. */
  readonly isOn: boolean;
  readonly document:
    | { readonly language: string; readonly isLanguageOn: boolean; readonly isOn: boolean }
    | undefined;
  readonly canReview: boolean;
}

export interface MenuEntry {
  readonly label: string;
  /** Name of a codicon. */
  readonly icon: string;
  readonly command: string;
}

/** The entries of the menu, those that mend something first. */
export function menuEntries(state: MenuState): (MenuEntry | "separator")[] {
  const groups = [mending(state), switching(state), asking(state), looking(state)];
  return groups
    .filter((group) => group.length > 0)
    .flatMap((group, index) => (index === 0 ? group : ["separator" as const, ...group]));
}

function mending(state: MenuState): MenuEntry[] {
  if (state.hasWrongPath) {
    return [entry("gear", "Correct sirdab.path", "sirdab.openSettings")];
  }
  if (!state.isInstalled) {
    return [entry("cloud-download", "Install the server", "sirdab.installServer")];
  }
  if (!state.hasServer) {
    return [entry("debug-restart", "Restart", "sirdab.restartServer")];
  }
  return state.needsModel
    ? [entry("cloud-download", "Download the model", "sirdab.pullModel")]
    : [];
}

function switching({ isOn, document, hasServer }: MenuState): MenuEntry[] {
  const entries = [entry(...onOff(isOn, "everywhere"), "sirdab.toggleGhostText")];
  if (document !== undefined) {
    const { language, isLanguageOn, isOn: isFileOn } = document;
    entries.push(entry(...onOff(isLanguageOn, `for ${language}`), "sirdab.toggleLanguage"));
    if (hasServer) {
      entries.push(entry(...onOff(isFileOn, "for this file"), "sirdab.toggleFile"));
    }
  }
  if (hasServer) {
    entries.push(entry("bell-slash", "Snooze ghost text…", "sirdab.snoozeGhostText"));
  }
  return entries;
}

function asking({ hasServer, document, canReview }: MenuState): MenuEntry[] {
  if (!hasServer) {
    return [];
  }
  const entries = [entry("server-environment", "Choose model…", "sirdab.chooseModel")];
  if (document !== undefined) {
    entries.push(entry("question", "Why no suggestion here?", "sirdab.explainHere"));
    if (canReview) {
      entries.push(entry("checklist", "Review this file", "sirdab.reviewFile"));
    }
  }
  return entries;
}

function looking({ isInstalled, hasServer }: MenuState): MenuEntry[] {
  return [
    ...(isInstalled ? [entry("pulse", "Run the doctor", "sirdab.doctor")] : []),
    entry("gear", "Open settings", "sirdab.openSettings"),
    entry("output", "Show log", "sirdab.showLog"),
    ...(hasServer ? [entry("debug-restart", "Restart", "sirdab.restartServer")] : []),
  ];
}

function onOff(isOn: boolean, where: string): [string, string] {
  return isOn
    ? ["circle-slash", `Turn ghost text off ${where}`]
    : ["check", `Turn ghost text on ${where}`];
}

function entry(icon: string, label: string, command: string): MenuEntry {
  return { icon, label, command };
}
