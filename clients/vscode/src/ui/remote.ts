/** What the editor calls the remote windows that people know, in their own words. */
const NAMES: ReadonlyMap<string, string> = new Map([
  ["ssh-remote", "a machine over SSH"],
  ["dev-container", "a container"],
  ["attached-container", "a container"],
  ["k8s-container", "a container"],
  ["wsl", "WSL"],
  ["tunnel", "a machine over a tunnel"],
  ["codespaces", "a codespace"],
]);

/**
 * Return what somebody has to know of a remote window, or undefined where it is none.
 *
 * @param remoteName What the editor calls the kind of remote, `vscode.env.remoteName`.
 */
export function remoteNotice(remoteName: string | undefined): string | undefined {
  const place = NAMES.get(remoteName ?? "");
  if (place === undefined) {
    return undefined;
  }
  return `This window is on ${place}: Sirdab and its model run there too, so install and set them there, under "Remote" in the settings.`;
}
